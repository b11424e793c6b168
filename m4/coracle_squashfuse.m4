# CORACLE_SQUASHFUSE
# What coracle-fuse needs: libsquashfuse, its decoders, and the kernel's headers
# beside the light programs' C library.
#
# The archives are named by path: -L of the system's directory would bring the
# other C library in. LZO is decoded by code of our own (lib/squash/lzo.c), as
# liblzo2's licence would become the program's.
AC_DEFUN([CORACLE_SQUASHFUSE], [
  AC_ARG_WITH([squashfuse],
    [AS_HELP_STRING([--without-squashfuse], [do not build coracle-fuse: no SquashFS images])],
    [], [with_squashfuse=auto])
  SQUASHFUSE_LIBS= squashfuse_note= have_squashfuse=no
  AS_IF([test "x$with_squashfuse" != xno], [
    have_squashfuse=yes
    for coracle_library in squashfuse zstd lz4 lzma z; do
      coracle_archive=`$CC -print-file-name=lib$coracle_library.a`
      AS_CASE([$coracle_archive],
        [/*], [SQUASHFUSE_LIBS="$SQUASHFUSE_LIBS $coracle_archive"],
        [have_squashfuse=no squashfuse_note="$squashfuse_note lib$coracle_library.a"])
    done
    AC_CHECK_HEADER([squashfuse/squashfuse.h], [],
      [have_squashfuse=no squashfuse_note="$squashfuse_note squashfuse/squashfuse.h"])
    AC_CHECK_HEADER([linux/fuse.h], [],
      [have_squashfuse=no squashfuse_note="$squashfuse_note linux/fuse.h"])
  ])
  AS_IF([test "x$have_squashfuse" = xno && test "x$with_squashfuse" = xyes],
    [AC_MSG_ERROR([--with-squashfuse needs:$squashfuse_note (Debian: libsquashfuse-dev libzstd-dev liblz4-dev liblzma-dev zlib1g-dev)])])

  dnl musl's gcc specs hide the system's headers; only these are let in.
  SQUASHFUSE_CFLAGS=
  AS_IF([test "x$have_squashfuse" = xyes && test "x$light_libc" = xmusl], [
    coracle_asm=`echo '#include <asm/unistd.h>' | $CC -M -E - | tr ' ' '\n' | sed -n 's,/asm/unistd\.h$,,p'`
    AS_MKDIR_P([kernel-headers])
    for coracle_header in /usr/include/linux /usr/include/asm-generic /usr/include/squashfuse $coracle_asm/asm; do
      ln -sfn "$coracle_header" kernel-headers/
    done
    SQUASHFUSE_CFLAGS='-idirafter $(abs_top_builddir)/kernel-headers'
  ])
  AC_SUBST([SQUASHFUSE_CFLAGS])
  AC_SUBST([SQUASHFUSE_LIBS])
  AM_CONDITIONAL([HAVE_SQUASHFUSE], [test "x$have_squashfuse" = xyes])
  AS_CASE([$have_squashfuse],
    [yes], [squashfuse_note="gzip xz lzo lz4 zstd"],
    [squashfuse_note="no SquashFS images; missing:$squashfuse_note"])
])
