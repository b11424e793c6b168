/*
 * Processes that cannot be polled: before Linux 5.3, see base/process.h.
 *
 * A rank that builds or waits keeps its connection, whose end is told at once. Where
 * the broker decides on a server, lists ranks or lets somebody in, it looks first. What
 * is left for a look from time to time: that the last rank of a view has gone, for
 * which one that lives is enough; that a server has ended whom others wait for; and, now
 * and then, everybody who has gone.
 */
#include "broker/state.h"

static int has_to_be_looked_at(const struct process *process)
{
    return process->fd >= 0 && !process_can_be_polled(process);
}

int broker_is_found_dead(const struct process *process)
{
    return has_to_be_looked_at(process) && process_has_ended(process);
}

int broker_look_at_ranks(struct broker *broker, int all)
{
    int found = 0;

    for (struct view *view = broker->views; view; view = view->next)
        view->is_seen = 0;
    for (struct rank *rank = broker->ranks, *next; rank; rank = next) {
        next = rank->next;
        if (!has_to_be_looked_at(&rank->process) || (!all && rank->view && rank->view->is_seen))
            continue;
        if (process_has_ended(&rank->process)) {
            broker_see_end(broker, rank);
            found = 1;
        } else if (rank->view) {
            rank->view->is_seen = 1;
        }
    }
    return found;
}

static void look_at_servers(struct broker *broker)
{
    for (struct image *image = broker->images; image; image = image->next)
        if (broker_is_found_dead(&image->server))
            broker_server_ended(broker, image);
}

void broker_poll(struct broker *broker, int64_t now)
{
    const int is_full = now - broker->last_full_poll >= BROKER_LOOK_EVERY;

    if (now - broker->last_poll < BROKER_POLL_EVERY)
        return;
    broker->last_poll = now;
    if (is_full)
        broker->last_full_poll = now;
    look_at_servers(broker);
    broker_look_at_ranks(broker, is_full);
}

int64_t broker_poll_due(const struct broker *broker)
{
    int is_due = 0;

    for (const struct rank *rank = broker->ranks; rank && !is_due; rank = rank->next)
        is_due = has_to_be_looked_at(&rank->process);
    for (const struct image *image = broker->images; image && !is_due; image = image->next)
        is_due = has_to_be_looked_at(&image->server);
    return is_due ? broker->last_poll + BROKER_POLL_EVERY : -1;
}
