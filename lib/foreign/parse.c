#include <string.h>

#include "foreign/system.h"

int foreign_next_line(struct foreign_text *text, struct foreign_text *line)
{
    const char *end;

    if (!text->length)
        return 0;
    end = memchr(text->bytes, '\n', text->length);
    line->bytes = text->bytes;
    line->length = end ? (size_t)(end - text->bytes) : text->length;
    text->bytes += line->length + (end != NULL);
    text->length -= line->length + (end != NULL);
    if (line->length && line->bytes[line->length - 1] == '\r')
        line->length--;
    return 1;
}

int foreign_add_variable(struct foreign *foreign, const struct foreign_text *line, size_t name_length,
                         struct arena *arena, struct err *err)
{
    struct foreign_variable *variable;

    if (foreign->variable_count == FOREIGN_VARIABLES_LIMIT)
        return err_set(err, ERR_IMAGE_CONFIG, "%s sets more than %d variables",
                       foreign->origin + strlen("image "), FOREIGN_VARIABLES_LIMIT);
    foreign->variables = arena_grow(arena, foreign->variables, foreign->variable_count,
                                    &foreign->variable_room, sizeof(*foreign->variables));
    variable = &foreign->variables[foreign->variable_count++];
    variable->name = arena_strndup(arena, line->bytes, name_length);
    variable->value = arena_strndup(arena, line->bytes + name_length + 1, line->length - name_length - 1);
    return 0;
}

/* What is run without a command: as a CMD, which a command replaces. */
static void read_singularity(struct foreign *foreign, const struct foreign_files *files, struct arena *arena)
{
    char **run = arena_alloc(arena, 2 * sizeof(*run));

    foreign->has_scripts = files->file[FILE_SCRIPTS].bytes != NULL;
    foreign->origin = "image " FOREIGN_SCRIPTS;
    run[0] = arena_strdup(arena, "/.singularity.d/runscript");
    if (files->file[FILE_RUNSCRIPT].bytes)
        foreign->cmd = run;
    foreign->run_origin = "image /.singularity.d/runscript";
}

static int is_cut(struct err *err)
{
    return err_set(err, ERR_IMAGE_CONFIG, "what the image says about itself is cut short");
}

/* Finds the files in BYTES, which are behind the mark. 0 or -1. */
static int find_files(struct foreign_files *files, const char *bytes, size_t length, struct err *err)
{
    uint32_t head[2];

    while (length) {
        if (length < sizeof(head))
            return is_cut(err);
        memcpy(head, bytes, sizeof(head));
        bytes += sizeof(head);
        length -= sizeof(head);
        if (head[0] >= FILE_COUNT || head[1] > length)
            return is_cut(err);
        files->file[head[0]] = (struct foreign_text){bytes, head[1]};
        bytes += head[1];
        length -= head[1];
    }
    return 0;
}

int foreign_parse(struct foreign *foreign, const char *bytes, size_t length, struct arena *arena,
                  struct err *err)
{
    const size_t start = sizeof("\1foreign");
    struct foreign_files files = {0};

    memset(foreign, 0, sizeof(*foreign));
    if (!foreign_is(bytes, length) || find_files(&files, bytes + start + 1, length - start - 1, err) < 0)
        return is_cut(err);
    foreign->system = (enum foreign_system)bytes[start];
    switch (foreign->system) {
    case FOREIGN_SINGULARITY:
        read_singularity(foreign, &files, arena);
        return 0;
    case FOREIGN_CHARLIECLOUD:
        return foreign_read_charliecloud(foreign, &files, arena, err);
    case FOREIGN_ENROOT:
        return foreign_read_enroot(foreign, &files, arena, err);
    }
    return is_cut(err);
}
