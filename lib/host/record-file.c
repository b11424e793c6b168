#include "host/record-file.h"

#include <limits.h>
#include <string.h>

#include "base/num.h"
#include "host/account.h"

#define HEADER "coracle-record 4\n"
#define CHECK_KEY "check="

enum {
    CHECK_DIGITS = 16,
    CHECK_LENGTH = sizeof(CHECK_KEY) - 1 + CHECK_DIGITS + 1,
    BOOT_SLACK = 2,  /* seconds by which two readings of the boot moment may differ */
    MADE_SLACK = 60, /* seconds by which another rank may have begun later than this one */
};

static const char digits[] = "0123456789abcdef";

static const char *const input_keys[RECORD_INPUTS] = {
    [RECORD_PASSWD] = "passwd-file",
    [RECORD_GROUP] = "group-file",
    [RECORD_NSSWITCH] = "nsswitch-file",
    [RECORD_SLURM_CONF] = "slurm-conf-named",
    [RECORD_SITE_CONFIG] = "site-config-named",
    [RECORD_USER_CONFIG] = "user-config-named",
};

/* Writes the line `check` for the LENGTH bytes at TEXT to LINE. */
static void format_check(const char *text, size_t length, char line[CHECK_LENGTH])
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    memcpy(line, CHECK_KEY, sizeof(CHECK_KEY) - 1);
    line += sizeof(CHECK_KEY) - 1;
    for (int i = 0; i < CHECK_DIGITS; i++)
        line[i] = digits[hash >> (4 * (CHECK_DIGITS - 1 - i)) & 15];
    line[CHECK_DIGITS] = '\n';
}

static int is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void add_text(struct str *out, const char *key, const char *value)
{
    str_add(out, key);
    str_add_char(out, '=');
    for (; *value; value++) {
        if (*value == '\n')
            str_add(out, "\\n");
        else if (*value == '\\')
            str_add(out, "\\\\");
        else if (is_control(*value))
            str_add_bytes(out, (const char[]){'\\', 'x', digits[*value >> 4], digits[*value & 15]}, 4);
        else
            str_add_char(out, *value);
    }
    str_add_char(out, '\n');
}

static void add_number(struct str *out, const char *key, uint64_t value)
{
    str_add(out, key);
    str_add_char(out, '=');
    str_add_number(out, value);
    str_add_char(out, '\n');
}

static void add_groups(struct str *out, const struct record_file *file)
{
    str_add(out, "groups=");
    for (size_t i = 0; i < file->group_count; i++) {
        str_add(out, i ? " " : "");
        str_add_number(out, file->groups[i]);
    }
    str_add_char(out, '\n');
}

static void add_watches(struct str *out, const struct record_file *file)
{
    add_number(out, "watches", file->watch_count);
    for (size_t i = 0; i < file->watch_count; i++) {
        str_add(out, "watch=");
        str_add(out, file->watches[i].stamp);
        add_text(out, "", file->watches[i].path);
        add_text(out, "lacks", file->watches[i].lacks);
    }
}

static void add_settings(struct str *out, const struct record_file *file)
{
    add_number(out, "settings", file->setting_count);
    for (size_t i = 0; i < file->setting_count; i++) {
        const struct record_setting *setting = &file->settings[i];

        add_text(out, setting->value ? "setting" : "flag", setting->name);
        if (setting->value)
            add_text(out, "value", setting->value);
        add_text(out, "origin", setting->origin);
    }
}

void record_file_print(const struct record_file *file, struct str *out)
{
    size_t start = out->length;
    char check[CHECK_LENGTH];

    str_add(out, HEADER);
    add_number(out, "uid", file->uid);
    add_number(out, "boot", file->boot);
    add_number(out, "made", file->made);
    add_number(out, "holds", file->holds);
    for (int i = 0; i < RECORD_INPUTS; i++)
        add_text(out, input_keys[i], file->inputs[i]);
    add_groups(out, file);
    add_watches(out, file);
    add_text(out, "user", file->user);
    add_text(out, "home", file->home);
    add_text(out, "shell", file->shell);
    add_text(out, "slurm-conf", file->slurm_conf);
    add_text(out, "auth", file->auth);
    add_number(out, "many-mounts", (uint64_t)file->many_mounts);
    add_text(out, "config-error", file->config_error);
    add_settings(out, file);
    add_text(out, "directory", file->directory);
    add_text(out, "passwd", file->passwd);
    add_text(out, "group", file->group);
    format_check(out->data + start, out->length - start, check);
    str_add_bytes(out, check, sizeof(check));
}

static int digit_of(char c)
{
    const char *digit = c ? strchr(digits, c) : NULL;

    return digit ? (int)(digit - digits) : -1;
}

/*
 * What the escape behind the backslash at *FROM means, and *FROM at its end; -1 for one that we do
 * not write.
 */
static int escaped(const char **from)
{
    int high, low;

    switch (*++*from) {
    case 'n':
        return '\n';
    case '\\':
        return '\\';
    case 'x':
        high = digit_of((*from)[1]);
        low = high < 0 ? -1 : digit_of((*from)[2]);
        *from += 2;
        return low >= 0 && is_control((char)(high * 16 + low)) && high * 16 + low != '\n' ? high * 16 + low
                                                                                          : -1;
    default:
        return -1;
    }
}

/*
 * Undoes the escapes of VALUE in place; CONTROLS: of control characters too. 0, or -1 for an
 * unknown one or a control character.
 */
static int unescape(char *value, int controls)
{
    char *to = value;
    int c;

    for (const char *from = value; *from; from++) {
        if (is_control(*from))
            return -1;
        c = (unsigned char)*from;
        if (c == '\\' && ((from[1] == 'x' && !controls) || (c = escaped(&from)) <= 0))
            return -1;
        *to++ = (char)c;
    }
    *to = 0;
    return 0;
}

/* What is left to parse: [next, end). */
struct reader {
    char *next;
    char *end;
};

/* Takes the line "KEY=VALUE" and returns VALUE; NULL for any other line. */
static char *take_line(struct reader *reader, const char *key, int controls)
{
    size_t key_length = strlen(key);
    size_t left = (size_t)(reader->end - reader->next);
    char *newline = memchr(reader->next, '\n', left);
    char *value = reader->next + key_length + 1;

    if (!newline || (size_t)(newline - reader->next) <= key_length)
        return NULL;
    if (memcmp(reader->next, key, key_length) != 0 || value[-1] != '=')
        return NULL;
    *newline = 0;
    reader->next = newline + 1;
    if (strlen(value) != (size_t)(newline - value) || unescape(value, controls) < 0)
        return NULL;
    return value;
}

static char *take_text(struct reader *reader, const char *key)
{
    return take_line(reader, key, 0);
}

/* Whether the next line has KEY. */
static int is_next(const struct reader *reader, const char *key)
{
    const size_t length = strlen(key);

    return (size_t)(reader->end - reader->next) > length && memcmp(reader->next, key, length) == 0 &&
           reader->next[length] == '=';
}

/* A number as num_format() writes it: no zeroes in front. */
static int parse_number(const char *text, uint64_t limit, uint64_t *number)
{
    return text[0] == '0' && text[1] ? -1 : num_parse(text, limit, number);
}

static int take_number(struct reader *reader, const char *key, uint64_t limit, uint64_t *number)
{
    const char *value = take_text(reader, key);

    return value ? parse_number(value, limit, number) : -1;
}

/* A line of text: nothing longer than a path, no line break. */
static int take_word(struct reader *reader, const char *key, const char **word)
{
    *word = take_text(reader, key);
    if (!*word || strlen(*word) >= PATH_MAX || strchr(*word, '\n'))
        return -1;
    return 0;
}

/* A word that is an absolute path or empty. */
static int take_path(struct reader *reader, const char *key, const char **path)
{
    if (take_word(reader, key, path) < 0)
        return -1;
    return **path == '/' || !**path ? 0 : -1;
}

static int take_groups(struct reader *reader, struct record_file *file, struct arena *arena)
{
    char *next = take_text(reader, "groups");
    uint32_t *groups = NULL;
    uint64_t gid;
    size_t room = 0;

    file->group_count = 0;
    while (next) {
        char *word = next;
        next = strchr(word, ' ');
        if (next)
            *next++ = 0;
        if (file->group_count == RECORD_GROUPS_LIMIT || parse_number(word, UINT32_MAX - 1, &gid) < 0)
            return -1;
        groups = arena_grow(arena, groups, file->group_count, &room, sizeof(*groups));
        groups[file->group_count++] = (uint32_t)gid;
    }
    file->groups = groups;
    return file->group_count ? 0 : -1;
}

static int take_watches(struct reader *reader, struct record_file *file, struct arena *arena)
{
    struct record_watch *watches;
    uint64_t count;

    if (take_number(reader, "watches", RECORD_WATCH_LIMIT, &count) < 0)
        return -1;
    watches = arena_alloc(arena, count * sizeof(*watches));
    for (size_t i = 0; i < count; i++) {
        char *line = take_text(reader, "watch");
        char *path = line ? strchr(line, '=') : NULL;

        if (!path || path[1] != '/' || strchr(path, '\n') ||
            take_path(reader, "lacks", &watches[i].lacks) < 0)
            return -1;
        *path = 0;
        if (!*line || line[strspn(line, "0123456789:.acdeghnbst")])
            return -1;
        watches[i].stamp = line;
        watches[i].path = path + 1;
    }
    file->watches = watches;
    file->watch_count = count;
    return 0;
}

static int take_settings(struct reader *reader, struct record_file *file, struct arena *arena)
{
    struct record_setting *settings;
    uint64_t count;

    if (take_number(reader, "settings", RECORD_SETTINGS_LIMIT, &count) < 0)
        return -1;
    settings = arena_alloc(arena, count * sizeof(*settings));
    for (size_t i = 0; i < count; i++) {
        const int is_flag = is_next(reader, "flag");

        if (take_word(reader, is_flag ? "flag" : "setting", &settings[i].name) < 0)
            return -1;
        if (!is_flag && !(settings[i].value = take_line(reader, "value", 1)))
            return -1;
        settings[i].origin = take_line(reader, "origin", 1);
        if (!settings[i].origin)
            return -1;
    }
    file->settings = settings;
    file->setting_count = count;
    return 0;
}

/* The lines that say until when the record holds. */
static int take_conditions(struct reader *reader, struct record_file *file, struct arena *arena)
{
    uint64_t uid, holds;

    if (take_number(reader, "uid", UINT32_MAX - 1, &uid) < 0 ||
        take_number(reader, "boot", INT64_MAX, &file->boot) < 0 ||
        take_number(reader, "made", INT64_MAX, &file->made) < 0 ||
        take_number(reader, "holds", RECORD_MAX_AGE, &holds) < 0)
        return -1;
    file->uid = (uint32_t)uid;
    file->holds = (uint32_t)holds;
    for (int i = 0; i < RECORD_INPUTS; i++)
        if (take_word(reader, input_keys[i], &file->inputs[i]) < 0)
            return -1;
    return take_groups(reader, file, arena) < 0 ? -1 : take_watches(reader, file, arena);
}

/* The lines that say what was found out. */
static int take_answers(struct reader *reader, struct record_file *file, struct arena *arena)
{
    uint64_t many_mounts;

    if (take_word(reader, "user", &file->user) < 0 || !account_name_usable(file->user) ||
        take_path(reader, "home", &file->home) < 0 || take_path(reader, "shell", &file->shell) < 0 ||
        take_path(reader, "slurm-conf", &file->slurm_conf) < 0 ||
        take_path(reader, "auth", &file->auth) < 0 || take_number(reader, "many-mounts", 1, &many_mounts) < 0)
        return -1;
    file->many_mounts = (int)many_mounts;
    file->config_error = take_line(reader, "config-error", 1);
    if (!file->config_error || take_settings(reader, file, arena) < 0 ||
        take_path(reader, "directory", &file->directory) < 0)
        return -1;
    file->passwd = take_text(reader, "passwd");
    file->group = file->passwd ? take_text(reader, "group") : NULL;
    if (!file->passwd || !file->group)
        return -1;
    if (*file->directory)
        return *file->passwd || *file->group ? -1 : 0;
    return *file->passwd && *file->group ? 0 : -1;
}

int record_file_parse(char *text, size_t length, struct record_file *file, struct arena *arena)
{
    size_t header = sizeof(HEADER) - 1;
    char check[CHECK_LENGTH];
    struct reader reader;

    memset(file, 0, sizeof(*file));
    if (length < header + CHECK_LENGTH || memcmp(text, HEADER, header) != 0)
        return -1;
    reader.next = text + header;
    reader.end = text + length - CHECK_LENGTH;
    format_check(text, length - CHECK_LENGTH, check);
    if (memcmp(reader.end, check, CHECK_LENGTH) != 0)
        return -1;
    if (take_conditions(&reader, file, arena) < 0 || take_answers(&reader, file, arena) < 0)
        return -1;
    return reader.next == reader.end ? 0 : -1;
}

static int lists_group(const struct record_file *file, uint32_t gid)
{
    for (size_t i = 0; i < file->group_count; i++)
        if (file->groups[i] == gid)
            return 1;
    return 0;
}

static int lists_all_groups(const struct record_file *file, const struct record_facts *facts)
{
    if (!lists_group(file, facts->gid) || !lists_group(file, facts->egid))
        return 0;
    for (size_t i = 0; i < facts->group_count; i++)
        if (!lists_group(file, facts->groups[i]))
            return 0;
    return 1;
}

int record_file_holds(const struct record_file *file, const struct record_facts *facts)
{
    uint64_t drift = file->boot > facts->boot ? file->boot - facts->boot : facts->boot - file->boot;

    if (file->uid != facts->uid || drift > BOOT_SLACK)
        return 0;
    if (file->made > facts->now + MADE_SLACK || facts->now > file->made + file->holds)
        return 0;
    for (int i = 0; i < RECORD_INPUTS; i++)
        if (strcmp(file->inputs[i], facts->inputs[i]) != 0)
            return 0;
    for (size_t i = 0; i < file->watch_count; i++)
        if (!record_watch_holds(&file->watches[i]))
            return 0;
    return lists_all_groups(file, facts);
}
