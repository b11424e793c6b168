/*
 * probe - finding out what this node offers, by trying it as the user.
 *
 * A probe fills its part of the facts. Where a namespace must be entered, or where a file
 * system may hang or a filter may kill, it does so in a child process, which shares the facts:
 * what that did not come to is as doctor_facts_new() made it. None fails.
 */
#ifndef CORACLE_DOCTOR_PROBE_H
#define CORACLE_DOCTOR_PROBE_H

#include <sys/types.h>

#include "base/arena.h"
#include "doctor/facts.h"

/* Seconds for which a child may try, and a launch. */
enum { DOCTOR_PATIENCE = 10, DOCTOR_LAUNCH_PATIENCE = 60 };

/*
 * A namespace that is gone counts until a worker of the kernel has come to it: where there is
 * no further one, ours of just now may be why. Attempts, and microseconds between.
 */
enum { DOCTOR_ATTEMPTS = 5, DOCTOR_PAUSE = 100000 };

/* Memory that child processes share, all of it untried; NULL and errno. Lives as long as the program. */
struct doctor_facts *doctor_facts_new(void);

/*
 * WORK in a child process. Returns when it has ended, was killed, or after DOCTOR_PATIENCE: one
 * that hangs in the kernel is left alone then. No child or SIGCHLD is left otherwise.
 */
void doctor_child(void (*work)(struct doctor_facts *facts), struct doctor_facts *facts);
/* The same for what looks where ENVIRONMENT says, and may start programs: they end with it. */
typedef void doctor_work(struct doctor_facts *facts, char *const environment[], struct arena *arena);
void doctor_child_of(doctor_work *work, struct doctor_facts *facts, char *const environment[],
                     struct arena *arena);

/* PID, a child, leads a process group of its own: what ends us ends that too. 0: none does. */
void doctor_group(pid_t pid);
/* From here on signals that end us do so. */
void doctor_heed_signals(void);

/* unshare(2) with FLAGS, and then the id maps, as a launch writes them: in a child. 0 or errno. */
int doctor_unshare(unsigned flags);
int doctor_map_ids(const struct doctor_facts *facts);
/* Both, of user and mount namespace: whether that works. */
int doctor_enter(const struct doctor_facts *facts);

/* Where an old kernel has things mounted that are tried, in a namespace of their own. */
#define DOCTOR_MOUNT_POINT "/sys"

/* Where `coracle` may be, as programs_find() has it: it is elsewhere than our other programs. */
const char *const *doctor_find_coracle(struct arena *arena);

void probe_switches(struct doctor_facts *facts);
void probe_namespaces(struct doctor_facts *facts);
void probe_mounts(struct doctor_facts *facts);
void probe_fuse(struct doctor_facts *facts);
void probe_kernel(struct doctor_facts *facts);
void probe_cgroups(struct doctor_facts *facts);
void probe_storage(struct doctor_facts *facts, char *const environment[], struct arena *arena);
void probe_jobs(struct doctor_facts *facts, char *const environment[], struct arena *arena);
void probe_hardware(struct doctor_facts *facts);
/* MARK is that of the doctor: "coracle build mark VERSION DIGEST". */
void probe_programs(struct doctor_facts *facts, const char *mark, struct arena *arena);
/* Reads, or has made, the node's record, and asks for Slurm's part of it. */
void probe_record(struct doctor_facts *facts, char *const environment[], struct arena *arena);
/* Launches, with ENVIRONMENT less the variables of ours that are about what is launched. */
void probe_launches(struct doctor_facts *facts, char *const environment[], struct arena *arena);

#endif
