/*
 * unfinished - what grows beside its place until it is whole.
 *
 * A file has no name at all while it grows, where the file system knows that (O_TMPFILE,
 * open(2)). Else it is ".NAME.partial-NODE-NUMBER", as every directory is: hidden, beside
 * NAME, and locked (flock(2)) for as long as its maker lives. So whoever makes NAME next
 * can tell what a killed one has left from what is still being made, and takes it away.
 * A lock counts among the processes of a node alone, as many parallel file systems have no
 * others: what another node left is taken away when it has not changed for a day.
 *
 * PARENT is a directory (openat() rules, O_PATH will do) and NAME a name in it, of which
 * up to 160 bytes are in the other name.
 */
#ifndef CORACLE_BASE_UNFINISHED_H
#define CORACLE_BASE_UNFINISHED_H

struct unfinished {
    int parent;
    const char *name;
    int fd;         /* of the file or directory, locked; -1: none */
    char part[256]; /* its name while it grows; "": it has none */
};

/*
 * Removes what killed makers of NAME have left. What cannot be removed stays, and so do
 * directories where others may write to PARENT: any of ours could have been given such a name.
 */
void unfinished_sweep(int parent, const char *name);

/* Begins an empty file, open for reading and writing. 0, or -1 and errno. PARENT and NAME must stay. */
int unfinished_file(struct unfinished *unfinished, int parent, const char *name);

/* Begins a directory that nobody else may enter. 0, or -1 and errno. */
int unfinished_directory(struct unfinished *unfinished, int parent, const char *name);

/*
 * Gives the file its name: at once, whoever looks. What has the name is replaced where
 * REPLACE, unless it is a directory; else that is EEXIST. 0, or -1 and errno.
 */
int unfinished_publish(struct unfinished *unfinished, int replace);

/*
 * Gives PART of DIR, which may be within the directory that was begun, the name NAME of PARENT: at
 * once where the file system can; what has that name is not replaced (EEXIST). 0, or -1 and errno.
 */
int unfinished_name(int dir, const char *part, int parent, const char *name);

/* Removes what has not been published. Nothing where nothing was begun. */
void unfinished_close(struct unfinished *unfinished);

#endif
