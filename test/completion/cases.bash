# shellcheck shell=bash
# What completion is to offer, in every shell. A shell's test defines offers(), which reads lines and
# writes "LINE<tab>OFFER" for each thing that is offered at the end of each, and calls
# completion_cases. Sourced after tap.bash; puts a coracle in PATH that has images and containers.
# shellcheck disable=SC2034,SC2154 # the tests use made, tap.bash sets scratch

if [ ! -e doc/man/tables ]; then tap_skip_all "coracle was built for another machine"; fi
made=$PWD/bin/completion/made
tables=$PWD/doc/man/tables

# Stands for coracle: what lists images and containers needs some.
mkdir "$scratch/bin" "$scratch/here"
cat >"$scratch/bin/coracle" <<'END'
#!/bin/sh
case $1 in
images) cat <<LIST
NAME                                            ID            SIZE      AGE
docker.io/library/debian:12                     0123456789ab  28.1 MB   3 h
-                                               ba9876543210  27.1 MB   4 d
LIST
;;
ps) cat <<LIST
slurm step 77.0  broker 4000 (300 KiB), 12 s
  /images/debian.sqfs  served by 4001 (900 KiB), 12 s
    view 01234567, 12 s, holds user namespace
      4010 web (1000 KiB), 12 s
      4011 (1000 KiB), 12 s
LIST
;;
esac
END
chmod +x "$scratch/bin/coracle"
PATH=$scratch/bin:$PATH
cd "$scratch/here" || exit
mkdir folder
touch image.sqfs

# has NAME LINE OFFER...: these are offered, and with "only" before them nothing else.
has() {
    local name=$1 line=$2 only=
    shift 2
    if [ "${1-}" = only ]; then only=yes && shift; fi
    awk -F '\t' -v line="$line" '$1 == line { sub(/ $/, "", $2); sub(/\/$/, "", $2); print $2 }' "$scratch/offered" | sort -u >"$scratch/got"
    printf '%s\n' "$@" | grep . | sort -u >"$scratch/wanted" || true
    if [ -z "$only" ]; then comm -12 "$scratch/wanted" "$scratch/got" >"$scratch/both" && mv "$scratch/both" "$scratch/got"; fi
    tap_result "$name" "$(diff "$scratch/wanted" "$scratch/got" || true)"
}

# Of each command whatever its table has.
every_option() {
    awk -F '\t' '$1 == "option" { print "coracle " $2 " --\t" $3 }' "$tables"
}

completion_cases() {
    local command
    local -a commands options
    every_option >"$scratch/options"
    tap_result "the tables have options" "$(awk 'END { if (NR < 100 && !/image/) print "only " NR }' <"$scratch/options")"
    {
        cut -f 1 "$scratch/options" | sort -u
        printf '%s\n' \
            "coracle " \
            "coracle r" \
            "coracle help p" \
            "coracle run --pu" \
            "coracle run --pull " \
            "coracle run --pull a" \
            "coracle run --share s" \
            "coracle run -q --pull n" \
            "coracle run --cache f" \
            "coracle run --env-file i" \
            "coracle run i" \
            "coracle run image.sqfs --pu" \
            "coracle run d" \
            "coracle run --pull always i" \
            "coracle run --pull=always i" \
            "coracle run --home f" \
            "coracle run image.sqfs -- f" \
            "coracle explain s" \
            "coracle explain shell --shar" \
            "coracle explain --json i" \
            "coracle config c" \
            "coracle config i" \
            "coracle config check i" \
            "coracle exec " \
            "coracle exec w" \
            "coracle exec -e A=B 401" \
            "coracle ps i" \
            "coracle login i"
        if grep -q '^command	pull	' "$tables"; then
            printf '%s\n' "coracle pull --compression " "coracle rm d" "coracle rm docker.io/library/debian:12 d" \
                "coracle convert oci:f" "coracle convert image.sqfs f" "coracle pull i"
        fi
    } >"$scratch/lines"
    offers <"$scratch/lines" >"$scratch/offered"

    mapfile -t commands < <(awk -F '\t' '$1 == "command" { print $2 }' "$tables")
    has "all commands" "coracle " "${commands[@]}" help
    has "commands that begin so" "coracle r" run
    has "commands behind help" "coracle help p" ps
    for command in "${commands[@]}"; do
        mapfile -t options < <(awk -F '\t' -v line="coracle $command --" '$1 == line { print $2 }' "$scratch/options")
        has "all options of $command" "coracle $command --" only "${options[@]}"
    done
    has "an option from its beginning" "coracle run --pu" only --pull
    has "the values of an option" "coracle run --pull " only missing always never
    has "a value from its beginning" "coracle run --pull a" only always
    has "words of an option that takes others too" "coracle run --share s" only step session
    has "a value behind a flag" "coracle run -q --pull n" only never
    has "a directory" "coracle run --cache f" only folder
    has "a file" "coracle run --env-file i" only image.sqfs
    has "an image that is a file" "coracle run i" only image.sqfs
    has "no option behind the image" "coracle run image.sqfs --pu" only
    has "an image in the cache" "coracle run d" only docker.io/library/debian:12
    has "an image behind an option and its value" "coracle run --pull always i" only image.sqfs
    has "an image behind an option with =" "coracle run --pull=always i" only image.sqfs
    has "an image behind an option whose value is left out" "coracle run --home f" folder
    has "a file as the command" "coracle run image.sqfs -- f" folder
    has "a word that may be left out" "coracle explain s" shell
    has "an option behind that word" "coracle explain shell --shar" only --share
    has "an image in place of that word" "coracle explain --json i" only image.sqfs
    has "a word that is needed" "coracle config c" only check
    has "nothing in place of that word" "coracle config i" only
    has "a file behind that word" "coracle config check i" only image.sqfs
    has "containers" "coracle exec " only 4010 4011 web
    has "a container from its beginning" "coracle exec w" only web
    has "a container behind an option and its value" "coracle exec -e A=B 401" only 4010 4011
    has "nothing where nothing is taken" "coracle ps i" only
    has "nothing where nothing is known" "coracle login i" only
    if grep -q '^command	pull	' "$tables"; then
        has "values with more behind them" "coracle pull --compression " only zstd lz4 gzip xz
        has "names to remove" "coracle rm d" only docker.io/library/debian:12
        has "one more" "coracle rm docker.io/library/debian:12 d" only docker.io/library/debian:12
        has "a file as destination" "coracle convert image.sqfs f" only folder
    fi
}
