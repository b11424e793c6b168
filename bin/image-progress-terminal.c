#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "image-progress-state.h"

/* Control sequences: ECMA-48, as all terminals since the VT100 have them. */
#define ERASE_LINE "\033[K"  /* from the cursor to its end */
#define ERASE_BELOW "\033[J" /* from the cursor on */
#define LINES_UP "\r\033[%uA"

#define DRAW_PAUSE 0.1 /* seconds */

/* Lines and columns that may be used: the last column of each line and the last line stay free. */
struct room {
    unsigned lines, columns;
};

static struct room find_room(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
        return (struct room){23, 79};
    return (struct room){size.ws_row - 1U, size.ws_col - 1U};
}

static const char *bytes_text(struct progress *progress, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    for (; bytes >= 1023.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        bytes /= 1024;
    return arena_printf(&progress->scratch, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* "  3.0 MiB/s" */
static const char *speed_text(struct progress *progress, double speed)
{
    return speed > 0 ? arena_printf(&progress->scratch, "  %s/s", bytes_text(progress, speed)) : "";
}

/* "45%  1.0 MiB of 2.0 MiB  3.0 MiB/s" */
static const char *share_text(struct progress *progress, uint64_t done, uint64_t all, double speed)
{
    const unsigned percent = all ? (unsigned)((double)done / (double)all * 100) : 100;

    return arena_printf(&progress->scratch, "%3u%%  %s of %s%s", percent, bytes_text(progress, (double)done),
                        bytes_text(progress, (double)all), speed_text(progress, speed));
}

/* The same, and "1.0 MiB  3.0 MiB/s" where nobody knows how much there is. */
static const char *flattened_text(struct progress *progress)
{
    const uint64_t done = progress->flattened;

    return progress->total ? share_text(progress, done, progress->total, progress->rate.speed)
                           : arena_join(&progress->scratch, bytes_text(progress, (double)done),
                                        speed_text(progress, progress->rate.speed), NULL);
}

/* Adds TEXT, which is ASCII, as a line of its own. */
static void add_line(struct str *out, const char *text, struct room room)
{
    const size_t length = strlen(text);

    str_add_bytes(out, text, length < room.columns ? length : room.columns);
    str_add(out, ERASE_LINE "\n");
}

static void add_layer(struct progress *progress, struct str *out, const struct layer_progress *layer,
                      struct room room)
{
    const char *colon = strchr(layer->digest, ':');
    const char *state = layer->state == LAYER_WANTED  ? "  waits"
                        : layer->state == LAYER_THERE ? "100%  was here"
                        : layer->state == LAYER_FETCHED
                            ? "100%  fetched"
                            : share_text(progress, layer->bytes, layer->size, layer->rate.speed);

    add_line(out, arena_printf(&progress->scratch, "%.12s  %s", colon ? colon + 1 : layer->digest, state),
             room);
}

/* Whether LAYER has a line where not all of them can have one. */
static int is_on_its_way(const struct layer_progress *layer)
{
    return layer->state == LAYER_COMING;
}

/* The lines of layers, at most MOST; how many. */
static unsigned add_layers(struct progress *progress, struct str *out, unsigned most, struct room room)
{
    size_t fit = 0;
    unsigned lines = 0;

    for (size_t i = 0; i < progress->count; i++)
        fit += !progress->layers[i].is_twin;
    for (size_t i = 0; i < progress->count && lines < most; i++) {
        const struct layer_progress *layer = &progress->layers[i];
        if (layer->is_twin || (fit > most && !is_on_its_way(layer)))
            continue;
        add_layer(progress, out, layer, room);
        lines++;
    }
    return lines;
}

static int all_are_here(const struct progress *progress)
{
    for (size_t i = 0; i < progress->count; i++)
        if (progress->layers[i].state != LAYER_THERE && progress->layers[i].state != LAYER_FETCHED &&
            !progress->layers[i].is_twin)
            return 0;
    return 1;
}

static const char *summary(struct progress *progress)
{
    uint64_t bytes = 0, size = 0;
    size_t here = 0, count = 0;

    if (progress->phase == PHASE_WRITING)
        return "completes the image";
    if (progress->phase == PHASE_FLATTENING)
        return arena_join(&progress->scratch, "flattens      ", flattened_text(progress), NULL);
    for (size_t i = 0; i < progress->count; i++) {
        const struct layer_progress *layer = &progress->layers[i];
        if (layer->is_twin)
            continue;
        count++;
        here += layer->state == LAYER_THERE || layer->state == LAYER_FETCHED;
        bytes += layer->bytes;
        size += layer->size;
    }
    return arena_printf(&progress->scratch, "%-12s  %s",
                        arena_printf(&progress->scratch, "%zu of %zu", here, count),
                        share_text(progress, bytes, size, progress->rate.speed));
}

static void write_out(struct progress *progress, const struct str *out, unsigned lines)
{
    if (fd_write_all(STDERR_FILENO, out->data, out->length) < 0)
        progress->style = PROGRESS_QUIET;
    progress->lines = lines;
    progress->drawn = clock_seconds();
}

void progress_draw(struct progress *progress, int must)
{
    struct str out = {.arena = &progress->scratch};
    struct room room;
    unsigned lines = 0;

    if (!must && clock_seconds() < progress->drawn + DRAW_PAUSE)
        return;
    room = find_room();
    if (room.lines == 0 || room.columns == 0)
        return;
    if (progress->lines)
        str_addf(&out, LINES_UP, progress->lines);
    if (progress->phase == PHASE_FETCHING || (progress->phase == PHASE_FLATTENING && !all_are_here(progress)))
        lines = add_layers(progress, &out, room.lines - 1, room);
    add_line(&out, summary(progress), room);
    if (lines + 1 < progress->lines)
        str_add(&out, ERASE_BELOW);
    write_out(progress, &out, lines + 1);
}

void progress_erase(struct progress *progress)
{
    char text[64];
    struct str out = {.data = text};

    if (progress->style != PROGRESS_TERMINAL || !progress->lines)
        return;
    out.length = (size_t)snprintf(text, sizeof(text), LINES_UP ERASE_BELOW, progress->lines);
    write_out(progress, &out, 0);
}

void progress_draw_done(struct progress *progress, const char *path, uint64_t size, const char *digest)
{
    struct str out = {.arena = &progress->scratch};

    progress_erase(progress);
    str_addf(&out, "made %s", path ? str_quote(&progress->scratch, path) : "the image");
    if (size)
        str_addf(&out, ", %s", bytes_text(progress, (double)size));
    str_addf(&out, "%s%s\n", digest ? ", of " : "", digest ? digest : "");
    write_out(progress, &out, 0);
}
