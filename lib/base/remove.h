/*
 * remove - takes a directory away, with all that is in it.
 */
#ifndef CORACLE_BASE_REMOVE_H
#define CORACLE_BASE_REMOVE_H

/*
 * Removes the directory NAME of PARENT and everything beneath it, of whatever
 * depth, with at most four descriptors. Follows no link and enters no mount.
 * Directories that are closed to their owner are opened (chmod). NAME is a name: a
 * path, "." and ".." are EINVAL. 0, or -1 and errno: something is left.
 */
int remove_tree(int parent, const char *name);

/*
 * The same for one who has others to answer: it ends when MILLISECONDS have gone by, and has
 * then taken one entry away at least. 1: the next call goes on with it; 0, or -1 and errno.
 */
int remove_some(int parent, const char *name, int milliseconds);

#endif
