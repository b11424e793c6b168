/* coracle ps: the containers of this user on this node. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/opt.h"
#include "commands.h"
#include "output.h"
#include "share/brokers.h"

struct ps {
    struct arena *arena;
    int json, help;
};

static OPT_FLAG_SETTER(set_json, struct ps, json);
static OPT_FLAG_SETTER(set_help, struct ps, help);

static const struct opt_row rows[] = {
    {"--json", 0, OPT_FLAG, NULL, NULL, OPT_SINGLE, "print JSON", set_json},
    {"--help", 'h', OPT_FLAG, NULL, NULL, OPT_SINGLE, "print this text", set_help},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* Bytes of memory that the process holds: the second number of statm, in pages. 0 where it is not known. */
static uint64_t memory_of(uint32_t pid, struct arena *arena)
{
    FD_CLEANUP int fd = openat(AT_FDCWD, arena_printf(arena, "/proc/%u/statm", pid), O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    const char *field;
    uint64_t pages = 0;

    text[n < 0 ? 0 : n] = 0;
    field = strchr(text, ' ');
    for (field = field ? field + 1 : ""; *field >= '0' && *field <= '9'; field++)
        pages = pages * 10 + (uint64_t)(*field - '0');
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static const struct {
    unsigned bit;
    const char *words;
} pins[] = {
    {SHARE_USERNS, "user namespace"},
    {SHARE_MOUNTNS, "mount namespace"},
    {SHARE_FUSE, "FUSE connection"},
    {SHARE_DIRECTORY, "unpacked image"},
    {SHARE_COVERS, "directories of the image"},
};

enum { PINS = sizeof(pins) / sizeof(pins[0]) };

/* --- for people ------------------------------------------------------------- */

static void add_age(struct str *out, uint64_t milliseconds)
{
    const uint64_t seconds = milliseconds / 1000;

    if (seconds < 120)
        str_addf(out, "%llu s", (unsigned long long)seconds);
    else if (seconds < 120 * 60)
        str_addf(out, "%llu min", (unsigned long long)seconds / 60);
    else if (seconds < 48 * 3600)
        str_addf(out, "%llu h", (unsigned long long)seconds / 3600);
    else
        str_addf(out, "%llu days", (unsigned long long)seconds / 86400);
}

static void add_process(struct str *out, const char *word, uint32_t pid)
{
    str_addf(out, "%s %u (%llu KiB)", word, pid, (unsigned long long)memory_of(pid, out->arena) / 1024);
}

static void add_pins(struct str *out, unsigned held)
{
    const char *before = ", holds ";

    for (size_t i = 0; i < PINS; i++)
        if (held & pins[i].bit) {
            str_addf(out, "%s%s", before, pins[i].words);
            before = ", ";
        }
}

static void add_line(struct str *out, const struct share_line *line)
{
    const struct share_item *item = &line->item;

    switch (item->kind) {
    case SHARE_ITEM_BROKER:
        str_add_quoted(out, line->first);
        add_process(out, "  broker", item->pid);
        break;
    case SHARE_ITEM_IMAGE:
        str_add(out, "  ");
        str_add_quoted(out, line->first);
        if (item->pid)
            add_process(out, "  served by", item->pid);
        break;
    case SHARE_ITEM_VIEW:
        str_addf(out, "    view %.8s%s", line->first, item->flags & SHARE_OWN_VIEW ? " of its own" : "");
        break;
    default:
        str_addf(out, "      %u", item->pid);
        if (*line->first)
            str_addf(out, " %s", line->first);
        str_addf(out, " (%llu KiB)", (unsigned long long)memory_of(item->pid, out->arena) / 1024);
        break;
    }
    str_add(out, ", ");
    add_age(out, item->age);
    add_pins(out, item->pins);
    str_add(out, "\n");
}

static void add_text(struct str *out, const struct share_brokers *brokers)
{
    for (size_t i = 0; i < brokers->line_count; i++)
        add_line(out, &brokers->lines[i]);
    if (!brokers->line_count)
        str_add(out, "no containers\n");
}

/* --- for programs ------------------------------------------------------------ */

static void write_pins(struct json_writer *writer, unsigned held)
{
    json_array(writer, "holds");
    for (size_t i = 0; i < PINS; i++)
        if (held & pins[i].bit)
            json_text(writer, NULL, pins[i].words);
    json_end(writer, ']');
}

static void write_process(struct json_writer *writer, const char *name, uint32_t pid, struct arena *arena)
{
    if (!pid) {
        json_null(writer, name);
        return;
    }
    json_object(writer, name);
    json_number(writer, "pid", pid);
    json_number(writer, "memory", memory_of(pid, arena));
    json_end(writer, '}');
}

static void write_line(struct json_writer *writer, const struct share_line *line, struct arena *arena)
{
    const struct share_item *item = &line->item;

    json_object(writer, NULL);
    switch (item->kind) {
    case SHARE_ITEM_BROKER:
        json_text(writer, "share", line->first);
        json_text(writer, "origin", line->second);
        write_process(writer, "broker", item->pid, arena);
        break;
    case SHARE_ITEM_IMAGE:
        json_text(writer, "image", line->first);
        json_text(writer, "kind", item->flags ? "squashfs" : "directory");
        write_process(writer, "server", item->pid, arena);
        break;
    case SHARE_ITEM_VIEW:
        json_text(writer, "view", line->first);
        json_bool(writer, "own", item->flags & SHARE_OWN_VIEW);
        break;
    default:
        json_number(writer, "pid", item->pid);
        json_text(writer, "name", line->first);
        json_number(writer, "memory", memory_of(item->pid, arena));
        break;
    }
    json_number(writer, "age_ms", item->age);
    if (item->kind != SHARE_ITEM_RANK)
        write_pins(writer, item->pins);
}

static const char *const members[] = {
    [SHARE_ITEM_BROKER] = "brokers",
    [SHARE_ITEM_IMAGE] = "images",
    [SHARE_ITEM_VIEW] = "views",
    [SHARE_ITEM_RANK] = "ranks",
};

/* Closes the objects that are open, with the arrays in them, from the kind DEPTH down to KIND. */
static void close_levels(struct json_writer *writer, int depth, int kind)
{
    for (; depth >= kind; depth--) {
        if (depth < SHARE_ITEM_RANK)
            json_end(writer, ']');
        json_end(writer, '}');
    }
}

/* Each kind lies in an array of the one before. */
static void add_json(struct str *out, const struct share_brokers *brokers)
{
    struct json_writer writer = {.out = out};
    int depth = -1; /* the kind of the innermost object that is open */

    json_object(&writer, NULL);
    json_array(&writer, members[SHARE_ITEM_BROKER]);
    for (size_t i = 0; i < brokers->line_count; i++) {
        const int kind = (int)brokers->lines[i].item.kind;

        close_levels(&writer, depth, kind);
        write_line(&writer, &brokers->lines[i], out->arena);
        if (kind < SHARE_ITEM_RANK)
            json_array(&writer, members[kind + 1]);
        depth = kind;
    }
    close_levels(&writer, depth, SHARE_ITEM_BROKER);
    json_end(&writer, ']');
    json_end(&writer, '}');
}

static int print_help(struct arena *arena, struct err *err)
{
    struct str out = {.arena = arena};

    str_add(
        &out,
        "Usage: coracle ps [OPTIONS]\n\nLists your containers on this node: what they share, their images "
        "and who serves\nthem, the views that ranks have in common, and the ranks. Launches with\n"
        "--share=none or --root are not known to anybody.\n\n");
    opt_help(rows, ROW_COUNT, &out);
    return output_print(&out, err);
}

int cmd_ps(int argc, char *argv[], char *const environment[], struct arena *arena, struct err *err)
{
    struct ps ps = {.arena = arena};
    struct str out = {.arena = arena};
    struct share_brokers brokers;
    int index = opt_parse(rows, ROW_COUNT, argc, argv, &ps, err);

    (void)environment;
    if (index < 0)
        return -1;
    if (ps.help)
        return print_help(arena, err);
    if (index < argc)
        return err_set(err, ERR_USAGE, "coracle ps takes no arguments; coracle ps --help lists the options");
    if (share_list_brokers(&brokers, arena, err) < 0)
        return -1;
    (ps.json ? add_json : add_text)(&out, &brokers);
    return output_print(&out, err);
}
