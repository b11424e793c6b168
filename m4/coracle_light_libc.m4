# CORACLE_LIGHT_LIBC
# Which C library the light programs get. What a rank pays is decided here as
# much as in the kernel: in order of start-up time static musl, static glibc,
# dynamic glibc. --with-light-libc=musl|glibc-static|glibc names one.
#
# musl comes in by gcc's -specs for single targets of an ordinary build. The
# flag must stand in per-target CFLAGS only (automake passes them to the link
# too, and -specs given twice is fatal). clang has no -specs.
#
# The linker flags put a static program into two segments instead of four and
# leave out what nobody calls: each page that a start touches is a page fault.
AC_DEFUN([CORACLE_LIGHT_LIBC], [
  AC_ARG_WITH([light-libc],
    [AS_HELP_STRING([--with-light-libc=LIBC], [musl, glibc-static or glibc (default: the first that works)])],
    [], [with_light_libc=auto])
  AS_CASE([$with_light_libc], [auto|musl|glibc-static|glibc], [],
    [AC_MSG_ERROR([--with-light-libc is musl, glibc-static or glibc, not $with_light_libc])])
  AS_IF([test "x$enable_sanitizers" = xyes], [with_light_libc=glibc])

  coracle_musl_specs=
  AC_PATH_PROG([MUSL_GCC], [musl-gcc], [no])
  AS_IF([test "x$MUSL_GCC" != xno],
    [coracle_musl_specs=`sed -n 's/.*-specs "\(.*\)".*/\1/p' "$MUSL_GCC"`])

  coracle_small_cflags="-fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
  coracle_small_ldflags="-static -no-pie -Wl,--build-id -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--gc-sections"
  light_libc=none
  AS_CASE([$with_light_libc], [auto|musl],
    [CORACLE_TRY_LIGHT([musl], [-specs=$coracle_musl_specs $coracle_small_cflags], [$coracle_small_ldflags])])
  AS_CASE([$with_light_libc], [auto|glibc-static],
    [CORACLE_TRY_LIGHT([glibc-static], [$coracle_small_cflags], [$coracle_small_ldflags])])
  AS_CASE([$with_light_libc], [auto|glibc],
    [CORACLE_TRY_LIGHT([glibc], [], [])])
  AS_IF([test "x$light_libc" = xnone],
    [AC_MSG_ERROR([cannot link with --with-light-libc=$with_light_libc; Debian's musl-tools brings musl])])

  AS_CASE([$light_libc],
    [musl], [light_libc_note="the fastest start"],
    [glibc-static], [light_libc_note="musl-tools would make each start about 0.3 ms faster"],
    [light_libc_note="slow start, for debugging: musl-tools makes each start about 0.7 ms faster"])
  AC_SUBST([LIGHT_CFLAGS])
  AC_SUBST([LIGHT_LDFLAGS])
])

# CORACLE_TRY_LIGHT(NAME, COMPILE-FLAGS, LINK-FLAGS)
AC_DEFUN([CORACLE_TRY_LIGHT], [
  AS_IF([test "x$light_libc" = xnone], [
    AC_MSG_CHECKING([whether a program links with $1])
    coracle_saved_CFLAGS=$CFLAGS coracle_saved_LDFLAGS=$LDFLAGS
    dnl clang takes -specs for a mistake to warn of, and links glibc.
    CFLAGS="$CFLAGS -Werror $2" LDFLAGS="$LDFLAGS $3"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts ("x");]])],
      [AC_MSG_RESULT([yes]); light_libc=$1 LIGHT_CFLAGS="$2" LIGHT_LDFLAGS="$3"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$coracle_saved_CFLAGS LDFLAGS=$coracle_saved_LDFLAGS
  ])
])
