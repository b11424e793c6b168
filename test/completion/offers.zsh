# offers.zsh DIRECTORY SCRATCH <LINES: what zsh offers where the tabulator is pressed behind each line,
# with _coracle of DIRECTORY: a line "LINE<tab>OFFER" for each. SCRATCH is for files.
#
# zsh completes at a terminal only. One is made for it, and all that is offered is written to a file.
emulate -L zsh
zmodload zsh/zpty zsh/datetime zsh/zselect || exit 1
directory=$1 offers=$2/offers

cat >$2/.zshrc <<END
PROMPT= RPROMPT=
fpath=(${(q)directory} \$fpath)
autoload -Uz compinit && compinit -u -d ${(q)2}/dump
zstyle ':completion:*' list-max 0
setopt no_beep no_auto_list
bindkey '^I' complete-word
bindkey '^U' kill-whole-line
compadd() {
    local -a hits
    if [[ "\${@[1,(i)(-|--)]}" != *-(O|A|D)\ * ]]; then
        builtin compadd -A hits "\$@"
        print -rl -- \$hits >>${(q)offers}.now
    fi
    builtin compadd "\$@"
}
finish() { comppostfuncs=(finish); : >>${(q)offers}.now; mv ${(q)offers}.now ${(q)offers} }
comppostfuncs=(finish)
: >${(q)offers}
END

# Waits until there are offers.
wait_for_offers() {
    local -F limit=$((EPOCHREALTIME + 60))
    local ignored
    until [[ -e $offers ]]; do
        ((EPOCHREALTIME < limit)) || { print -u2 "zsh does not answer"; zpty -d z; exit 1 }
        zpty -rt z ignored
        zselect -t 1
    done
}

rm -f $offers
export ZDOTDIR=$2
zpty -b z zsh -i
wait_for_offers
while IFS= read -r line; do
    rm -f $offers
    zpty -w -n z $line$'\t'
    wait_for_offers
    while IFS= read -r offer; do
        [[ -z $offer ]] || print -r -- "$line"$'\t'"$offer"
    done <$offers
    zpty -w -n z $'\x15'
done
zpty -d z
