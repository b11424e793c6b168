# CORACLE_FUZZING
# --enable-fuzzing: link the harnesses of test/fuzz with libFuzzer (clang only)
# instead of the program that replays their corpus.
AC_DEFUN([CORACLE_FUZZING], [
  AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing], [build the fuzz harnesses with libFuzzer (CC=clang)])],
    [], [enable_fuzzing=no])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
