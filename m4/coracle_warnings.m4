# CORACLE_WARNINGS
# Puts into WARN_CFLAGS each warning that the compiler knows. --enable-werror
# makes them errors: for CI, never for users.
AC_DEFUN([CORACLE_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors (for CI)])],
    [], [enable_werror=no])
  WARN_CFLAGS=
  coracle_saved_CFLAGS=$CFLAGS
  for flag in -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
              -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual -Wlogical-op \
              -Wduplicated-cond -Wduplicated-branches -Wnull-dereference -Wimplicit-fallthrough; do
    AC_MSG_CHECKING([whether $CC knows $flag])
    CFLAGS="$coracle_saved_CFLAGS -Werror $flag"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes]); WARN_CFLAGS="$WARN_CFLAGS $flag"], [AC_MSG_RESULT([no])])
  done
  CFLAGS=$coracle_saved_CFLAGS
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])
