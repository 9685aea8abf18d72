// SPDX-License-Identifier: GPL-2.0
#include "views.h"
#include "panel_procs.h"

const struct ksmtop_view ksmtop_views[VIEW_COUNT] = {
	[VIEW_PROCS] = { "Processes", "who saves, and what it costs", panel_procs_draw, NULL },
	[VIEW_GROUPS] = { "Groups", "the same by guest, container, cgroup", panel_groups_draw,
			  panel_groups_count },
	[VIEW_EVENTS] = { "Events", "merges, breaks and passes as they happen", panel_events_draw,
			  NULL },
	[VIEW_SHARING] = { "Sharing", "who shares pages with whom", panel_sharing_draw,
			   panel_sharing_count },
	[VIEW_TUNING] = { "Tuning", "every knob; a change shows above", panel_tuning_draw,
			  tuning_count },
	[VIEW_DETAIL] = { "Process", "one process: mappings, partners, events", panel_detail_draw,
			  panel_detail_count },
};

const char *process_name(const struct ksmtop_model *m, pid_t pid)
{
	const struct ksmtop_row *r = model_row(m, pid);

	return r ? r->p.command : events_comm(&m->ev, (uint32_t)pid);
}
