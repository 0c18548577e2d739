-- SPDX-License-Identifier: GPL-2.0-or-later
-- Prints what a run of wrk measured as one line of JSON, for peer.py.
done = function(summary, latency, requests)
	local e = summary.errors
	io.write(string.format(
		'{"requests":%d,"seconds":%f,"bytes":%d,"p50":%f,"p99":%f,"max":%f,"failed":%d}\n',
		summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
		latency:percentile(99) / 1e3, latency.max / 1e3,
		e.connect + e.read + e.write + e.status + e.timeout))
end
