#include "base/str.h"
#include "reference/reference.h"

static void add_part(struct str *out, const char *before, const char *part)
{
    if (!part)
        return;
    str_add(out, before);
    str_add(out, part);
}

/* [DOMAIN/]REPOSITORY[:TAG][@DIGEST], or nothing. */
static const char *print_name(const struct reference *reference, struct arena *arena)
{
    struct str out = {.arena = arena};

    add_part(&out, "", reference->domain);
    add_part(&out, reference->domain ? "/" : "", reference->repository);
    add_part(&out, ":", reference->tag);
    add_part(&out, "@", reference->digest);
    return str_text(&out);
}

/* Whether NAME, which is one in a registry, would be read as something else: "oci:latest". */
static int is_taken_for_another(const char *name, struct arena *arena)
{
    struct reference again;
    struct err err;

    return reference_parse(&again, name, arena, ERR_USAGE, &err) < 0 || again.transport != REFERENCE_REGISTRY;
}

const char *reference_print(const struct reference *reference, struct arena *arena)
{
    struct str out = {.arena = arena};
    const char *name = print_name(reference, arena);

    if (reference->transport == REFERENCE_REGISTRY)
        return is_taken_for_another(name, arena) ? arena_join(arena, "docker://", name, NULL) : name;
    if (reference->transport != REFERENCE_PATH)
        add_part(&out, reference_transport_name(reference->transport), ":");
    add_part(&out, "", reference->path);
    add_part(&out, ":", reference->name);
    add_part(&out, ":", *name ? name : NULL);
    if (reference->index >= 0)
        str_addf(&out, ":@%d", reference->index);
    return str_text(&out);
}
