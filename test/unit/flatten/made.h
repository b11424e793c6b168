/*
 * made - layers made from a line of text, and what they become as a line of text.
 *
 *     "d:usr/lib f:usr/lib/a=text l:lib>usr/lib h:b>usr/lib/a p:fifo c:null w:etc/x"
 *
 * are the members of a tar in this order: d directory, f file, l symbolic link, h hard
 * link, p fifo, c character device. "w:etc/x" is short for "f:etc/.wh.x=".
 */
#ifndef CORACLE_TEST_UNIT_FLATTEN_MADE_H
#define CORACLE_TEST_UNIT_FLATTEN_MADE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "flatten/flatten.h"
#include "test/tap.h"

enum { MADE_BLOCK = 512, MADE_LAYERS = 8, MADE_STORE = 64, MADE_TEXT = 8192 };

/* A header of a member; ustar(5). */
struct made_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, target[100];
    char magic[8], user[32], group[32], major[8], minor[8], prefix[155], filler[12];
};

/* An empty file without a name. */
static inline int made_file(void)
{
    char name[] = "/tmp/coracle-test-XXXXXX";
    int fd = mkstemp(name);

    if (fd < 0 || unlink(name) < 0) {
        perror("mkstemp");
        exit(1);
    }
    return fd;
}

static inline void made_write(int fd, const void *bytes, size_t length)
{
    if (fd_write_all(fd, bytes, length) < 0) {
        perror("write");
        exit(1);
    }
}

/* Fills up to a whole block. */
static inline void made_fill(int fd, size_t length)
{
    static const char zeros[MADE_BLOCK];

    if (length % MADE_BLOCK)
        made_write(fd, zeros, MADE_BLOCK - length % MADE_BLOCK);
}

static inline void made_seal(struct made_header *header)
{
    unsigned sum = 0;

    memset(header->checksum, ' ', sizeof(header->checksum));
    for (size_t i = 0; i < sizeof(*header); i++)
        sum += ((unsigned char *)header)[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

/* The header alone; its fields are what tests want to have wrong. */
static inline struct made_header made_header(char type, const char *name, const char *target, size_t size)
{
    struct made_header header = {.type = type, .magic = "ustar"};

    memcpy(header.magic + 6, "00", 2);
    memcpy(header.name, name, strnlen(name, sizeof(header.name)));
    memcpy(header.target, target, strnlen(target, sizeof(header.target)));
    strcpy(header.mode, type == '5' ? "0000750" : "0000640");
    strcpy(header.uid, "0001750");
    strcpy(header.gid, "0001751");
    snprintf(header.size, sizeof(header.size), "%011o", (unsigned)size & 0xFFFFFFF);
    strcpy(header.mtime, "00000001000");
    made_seal(&header);
    return header;
}

static inline void made_member(int fd, char type, const char *name, const char *target, const char *content,
                               size_t size)
{
    struct made_header header = made_header(type, name, target, size);

    made_write(fd, &header, sizeof(header));
    made_write(fd, content, size);
    made_fill(fd, size);
}

/* A pax header for the next member: "path=x", "SCHILY.xattr.user.a=b". Its length counts itself. */
static inline void made_pax(int fd, const char *record, size_t length)
{
    char text[2048];
    int digits = 1, total;

    for (;; digits++) {
        total = (int)length + digits + 2;
        if (snprintf(text, sizeof(text), "%d", total) == digits)
            break;
    }
    text[digits] = ' ';
    memcpy(text + digits + 1, record, length);
    text[total - 1] = '\n';
    made_member(fd, 'x', "pax", "", text, (size_t)total);
}

static inline void made_end(int fd)
{
    static const char zeros[2 * MADE_BLOCK];

    made_write(fd, zeros, sizeof(zeros));
}

/* One word of the line. */
static inline void made_word(int fd, char *word)
{
    static const char kinds[] = "dflhpcw", types[] = "5021630";
    char *name = word + 2, *value = strpbrk(name, word[0] == 'f'                     ? "="
                                                  : word[0] == 'l' || word[0] == 'h' ? ">"
                                                                                     : "");
    char type = types[strchr(kinds, word[0]) - kinds], path[512];
    const char *slash = strrchr(name, '/');

    if (value)
        *value++ = '\0';
    snprintf(path, sizeof(path), "%s", name);
    if (word[0] == 'w')
        snprintf(path, sizeof(path), "%.*s.wh.%s", slash ? (int)(slash + 1 - name) : 0, name,
                 slash ? slash + 1 : name);
    if (word[0] == 'f')
        made_member(fd, type, path, "", value ? value : "", value ? strlen(value) : 0);
    else
        made_member(fd, type, path, value ? value : "", "", 0);
}

static inline struct layer made_layer_of(int fd)
{
    return (struct layer){.fd = fd, .size = (uint64_t)lseek(fd, 0, SEEK_END)};
}

/* The layer of LINE. */
static inline struct layer made_layer(const char *line)
{
    int fd = made_file();
    char text[MADE_TEXT], *rest = NULL;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        made_word(fd, word);
    made_end(fd);
    return made_layer_of(fd);
}

/* A sink that keeps small contents, and shows the tree as text. */
struct made_sink {
    struct flatten_sink sink;
    char contents[MADE_STORE][256];
    size_t count, length;
    char text[MADE_TEXT];
    char attributes[1024]; /* "path:name=value", or the value's length where it is no text */
    int details;           /* mode, owner and time too */
    int finished;
    const struct flatten_tree *tree;
};

static inline int made_begin(struct flatten_sink *sink, uint64_t size, struct err *err)
{
    struct made_sink *made = (struct made_sink *)sink;

    made->length = 0;
    if (size >= sizeof(made->contents[0]) || made->count == MADE_STORE)
        return err_set(err, ERR_OUTPUT, "too much for the test");
    return 0;
}

static inline int made_append(struct flatten_sink *sink, const void *bytes, size_t length, struct err *err)
{
    struct made_sink *made = (struct made_sink *)sink;

    (void)err;
    memcpy(made->contents[made->count] + made->length, bytes, length);
    made->length += length;
    return 0;
}

static inline int made_hole(struct flatten_sink *sink, uint64_t length, struct err *err)
{
    struct made_sink *made = (struct made_sink *)sink;

    (void)err;
    memset(made->contents[made->count] + made->length, '.', length);
    made->length += length;
    return 0;
}

static inline int made_close(struct flatten_sink *sink, uint64_t *handle, struct err *err)
{
    struct made_sink *made = (struct made_sink *)sink;

    (void)err;
    *handle = ++made->count;
    return 0;
}

static inline void made_show_attributes(struct made_sink *made, const char *name,
                                        const struct flatten_inode *inode)
{
    for (uint32_t i = 0; i < inode->attribute_count; i++) {
        const struct flatten_attribute *attribute = &inode->attributes[i];
        char *end = made->attributes + strlen(made->attributes);
        size_t room = (size_t)(made->attributes + sizeof(made->attributes) - end);
        int n = snprintf(end, room, "%s%s:%s=", made->attributes[0] ? " " : "", name, attribute->name);

        if (strlen(attribute->value) == attribute->length)
            snprintf(end + n, room - (size_t)n, "%s", (const char *)attribute->value);
        else
            snprintf(end + n, room - (size_t)n, "%zu", attribute->length);
    }
}

static inline void made_show(struct made_sink *made, const char *path, const struct flatten_node *node)
{
    const struct flatten_inode *inode = node->inode;
    char *end = made->text + strlen(made->text), name[1024];
    size_t room = (size_t)(made->text + sizeof(made->text) - end);
    int n = 0;

    snprintf(name, sizeof(name), "%s%s%s", path, *path ? "/" : "", node->name);
    if (node->name[0] || made->details) {
        n = snprintf(end, room, "%s%s%s%s%s", made->text[0] ? " " : "", name, S_ISDIR(inode->mode) ? "/" : "",
                     S_ISLNK(inode->mode)    ? ">"
                     : S_ISREG(inode->mode)  ? "="
                     : S_ISFIFO(inode->mode) ? "|"
                                             : "",
                     S_ISLNK(inode->mode) ? inode->target
                     : inode->handle      ? made->contents[inode->handle - 1]
                                          : "");
        if (made->details)
            snprintf(end + n, room - (size_t)n, "(%o,%u:%u,%u)", inode->mode & 07777, inode->uid, inode->gid,
                     inode->mtime);
        else if (!S_ISDIR(inode->mode) && inode->links > 1)
            snprintf(end + n, room - (size_t)n, "*%u", inode->links);
    }
    made_show_attributes(made, name, inode);
    for (const struct flatten_node *child = node->first; child; child = child->next)
        made_show(made, name, child);
}

static inline int made_finish(struct flatten_sink *sink, const struct flatten_tree *tree, struct err *err)
{
    struct made_sink *made = (struct made_sink *)sink;

    (void)err;
    made->finished++;
    made_show(made, "", tree->root);
    return 0;
}

static inline void made_sink_init(struct made_sink *made)
{
    memset(made, 0, sizeof(*made));
    made->sink = (struct flatten_sink){made_begin, made_append, made_hole, made_close, made_finish};
}

#endif
