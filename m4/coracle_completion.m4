# Where the shells look for completion, below the prefix: an installation into $HOME/.local must touch
# nothing else. bash finds it in $XDG_DATA_HOME and $XDG_DATA_DIRS, fish too, zsh in $fpath.
# Distributions have places of their own, and say so.
AC_DEFUN([CORACLE_COMPLETION_DIR], [
    AC_ARG_WITH([$1-completion-dir],
        [AS_HELP_STRING([--with-$1-completion-dir=DIR], [completion for $1 goes to DIR @<:@DATADIR/$2@:>@])],
        [AS_CASE([$withval], [yes], [$1completiondir='${datadir}/$2'], [$1completiondir=$withval])],
        [$1completiondir='${datadir}/$2'])
    AC_SUBST([$1completiondir])
])

AC_DEFUN([CORACLE_COMPLETION], [
    CORACLE_COMPLETION_DIR([bash], [bash-completion/completions])
    CORACLE_COMPLETION_DIR([zsh], [zsh/site-functions])
    CORACLE_COMPLETION_DIR([fish], [fish/vendor_completions.d])
])
