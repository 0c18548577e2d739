/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor of a domain. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/domain.h"

#define LEVEL2 "pni ssse3 sse4.1 sse4.2 popcnt"
#define LEVEL3 LEVEL2 " aes avx avx2 bmi1 bmi2 f16c fma movbe xsave abm"

/* Models that are a level of the x86-64 ABI: what they add to the emulator's plainest one. */
static const struct {
	const char *name, *base, *features;
} levels[] = {
	{"x86-64-v2", "qemu64", LEVEL2},
	{"x86-64-v2-AES", "qemu64", LEVEL2 " aes"},
	{"x86-64-v3", "qemu64", LEVEL3},
};

static void add_model(xmlNodePtr cpu, const char *name)
{
	xmlNodePtr model = xml_text(cpu, "model", "%s", name);

	xml_set(model, "fallback", "forbid");
}

static void add_features(xmlNodePtr cpu, const char *names)
{
	autostrv char **list = str_split(names, " ");

	for (size_t i = 0; list[i]; i++)
		xml_add(cpu, "feature", "policy", "require", "name", list[i], NULL);
}

static void add_flags(xmlNodePtr cpu, const char *flags)
{
	autostrv char **list = str_split(flags, ";");

	for (size_t i = 0; list[i]; i++)
		xml_add(cpu, "feature", "policy", list[i][0] == '+' ? "require" : "disable", "name",
			list[i] + 1, NULL);
}

/* "host" has no meaning without the host's processor: then it is all that the emulator can. */
static xmlNodePtr add_wide(xmlNodePtr root, const struct vm_hardware *hw)
{
	bool is_host = hw->kvm && str_eq(hw->cpu, "host");

	return xml_add(root, "cpu", "mode", is_host ? "host-passthrough" : "maximum", "check",
		       "none", NULL);
}

static xmlNodePtr add_custom(xmlNodePtr root, const struct vm_hardware *hw)
{
	xmlNodePtr cpu =
		xml_add(root, "cpu", "mode", "custom", "match", "exact", "check", "none", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!str_eq(levels[i].name, hw->cpu))
			continue;
		add_model(cpu, levels[i].base);
		return cpu;
	}
	add_model(cpu, hw->cpu);
	return cpu;
}

void domain_add_cpu(xmlNodePtr root, const struct vm_hardware *hw)
{
	bool is_wide = str_eq(hw->cpu, "host") || str_eq(hw->cpu, "max");
	xmlNodePtr cpu = is_wide ? add_wide(root, hw) : add_custom(root, hw);
	xmlNodePtr topology = xml_add(cpu, "topology", NULL);

	xml_setf(topology, "sockets", "%u", hw->sockets);
	xml_setf(topology, "cores", "%u", hw->cores);
	xml_set(topology, "threads", "1");
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (str_eq(levels[i].name, hw->cpu))
			add_features(cpu, levels[i].features);
	}
	add_flags(cpu, hw->cpu_flags);
}
