#include "habits.h"

#include <stddef.h>
#include <string.h>

struct habit {
    const char *words; /* with a blank around each */
    const char *advice;
};

/* docker-run(1), podman-run(1), podman-hpc, apptainer run --help, ch-run(1), enroot start, bwrap(1) */
static const struct habit options[] = {
    {" --volume -B --dev-bind ", "write --bind SRC:DST"},
    {" --ro-bind ", "write --bind SRC:DST:ro"},
    {" --pwd --cwd --cd --chdir ", "write --workdir DIR"},
    {" -H ", "write --home=DIR"},
    {" --nv --nvccli --rocm --gpus --gpu --device ",
     "leave it out: all devices are there; doc/tutorial.md shows how to bind a driver's libraries"},
    {" --interactive --tty -i -t ", "leave it out: a command has your terminal and standard input"},
    {" --rm ", "leave it out: nothing is left of a container"},
    {" --detach -d ", "leave it out, and end the line with &"},
    {" --net --network --publish -p ", "leave it out: the network is the host's"},
    {" --pid --ipc --uts --hostname ",
     "leave it out: processes, IPC and the host's name are those of the host"},
    {" --init --no-init ", "leave it out: there is no init; the command has the pid that coracle had"},
    {" --ulimit --memory --cpus ", "leave it out: the limits of your job or shell hold"},
    {" --env-host ", "leave it out: the environment is yours"},
    {" --user ", "write --uid UID and --gid GID, or --root"},
    {" --fakeroot -f --privileged ", "write --root"},
    {" --cleanenv ", "write --clean-env"},
    {" --contain ", "write --no-home --no-default-binds"},
    {" --containall -C ", "write --no-home --no-default-binds --clean-env"},
    {" --compat ", "write --no-home --no-default-binds --clean-env --writable-tmpfs"},
    {" --no-mount ", "write --no-home or --no-default-binds"},
    {" --writable --rw ", "write --write, or --writable-tmpfs"},
    {" --overlay --write-fake -W ", "write --writable-tmpfs"},
    {" --read-only ", "leave it out: only --write and --writable-tmpfs let an image be changed"},
    {" --scratch ", "write --tmpfs DST"},
    {" --private-tmp ", "write --tmpfs /tmp"},
    {" --shm-size ", "leave it out: /dev/shm is the host's"},
    {" --set-env --setenv ", "write --env NAME=VALUE, or --env-file FILE"},
    {" --join ", "leave it out: ranks of a step meet by themselves; see --share"},
    {" --join-pid ", "coracle exec PID -- COMMAND goes into a container"},
    {" --platform --arch ", "leave it out: what this machine runs is taken; coracle pull has --platform"},
    {" --debug --log-level ", "write --verbose, or twice that"},
    {" -V ", "coracle --version prints the version"},
};

static const struct habit commands[] = {
    {" ls list image cache ",
     "coracle images lists the images, coracle ps the containers, and coracle rm removes images"},
    {" rmi delete remove prune clean ", "coracle rm removes images"},
    {" version -V ", "coracle --version prints it"},
    {" -v ", "coracle --version prints the version; --verbose goes behind the command: coracle run -v"},
    {" --verbose --debug -d ", "write it behind the command: coracle run --verbose"},
    {" --quiet -q --silent -s ", "write it behind the command: coracle run --quiet"},
    {" sif ", "coracle inspect tells what an image says of itself"},
    {" create ", "coracle run takes the file as it is; coracle convert FILE dir:DIRECTORY unpacks it"},
    {" remote registry ", "coracle login keeps credentials of a registry"},
    {" info ", "coracle doctor tells what this node offers"},
    {" enter attach ", "coracle exec goes into a container, coracle shell starts one"},
    {" load import save export ", "coracle convert makes one kind of image of another"},
    {" push ", "coracle only fetches images; skopeo and podman bring them to a registry"},
    {" build ", "coracle builds no images; coracle convert takes those that podman, docker and others build"},
    {" start stop kill instance logs ", "a container is a process like any other, and ends with its command"},
};

static const char *find(const struct habit *habits, size_t count, const char *word)
{
    const size_t length = strlen(word);

    for (size_t i = 0; length && !strchr(word, ' ') && i < count; i++)
        for (const char *at = habits[i].words; (at = strstr(at, word)); at++)
            if (at[-1] == ' ' && at[length] == ' ')
                return habits[i].advice;
    return NULL;
}

const char *habit_of_option(const char *option)
{
    return find(options, sizeof(options) / sizeof(options[0]), option);
}

const char *habit_of_command(const char *command)
{
    return find(commands, sizeof(commands) / sizeof(commands[0]), command);
}
