#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "image-progress-state.h"

struct json_writer *progress_event(struct progress *progress, const char *name)
{
    if (progress->style != PROGRESS_JSON)
        return NULL;
    progress->text = (struct str){.arena = &progress->scratch};
    progress->json = (struct json_writer){.out = &progress->text, .is_compact = 1};
    json_object(&progress->json, NULL);
    json_text(&progress->json, "event", name);
    return &progress->json;
}

void progress_event_end(struct progress *progress)
{
    json_end(&progress->json, '}');
    if (fd_write_all(STDOUT_FILENO, progress->text.data, progress->text.length) == 0)
        return;
    progress->style = PROGRESS_QUIET;
    log_warning("events of --json cannot be written any more: %s; the work goes on without them",
                err_reason(errno));
}
