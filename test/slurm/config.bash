# The configuration of a bed: which cgroups Slurm can use here, and its files. Sourced
# by up, whose variables these are.
# shellcheck shell=bash
# shellcheck disable=SC2046,SC2154

# --- cgroups ---------------------------------------------------------------------

# can_make_cgroup FOLDER
can_make_cgroup() {
    local probe=$1/coracle-probe-$$
    mkdir "$probe" 2>/dev/null && rmdir "$probe"
}

cgroup_v1_works() {
    local controller
    for controller in freezer memory cpuset cpuacct; do
        mountpoint -q "/sys/fs/cgroup/$controller" && can_make_cgroup "/sys/fs/cgroup/$controller" || return 1
    done
}

# Slurm's plugin refuses a host that has any hierarchy of v1.
cgroup_v2_works() {
    [ "$(stat -f -c %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ] && ! grep -q ' - cgroup ' /proc/self/mountinfo &&
        grep -qw memory /sys/fs/cgroup/cgroup.controllers && can_make_cgroup /sys/fs/cgroup
}

cgroup_kind() {
    if cgroup_v1_works; then
        echo v1
    elif cgroup_v2_works; then
        echo v2
    else
        echo none
    fi
}

# Swap would only put off the end of a job that wants too much.
constrain_swap() {
    [ "$1" = v2 ] || [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ] && echo yes || echo no
}

cgroup_conf() {
    if [ "$1" = none ]; then return 0; fi
    printf '%s\n' "CgroupPlugin=cgroup/$1" ConstrainRAMSpace=yes "ConstrainSwapSpace=$(constrain_swap "$1")" \
        AllowedSwapSpace=0 ConstrainCores=no ConstrainDevices=no
    if [ "$1" = v2 ]; then echo IgnoreSystemd=yes; fi
}

# How processes are tracked and limited. Without cgroups memory is looked at now and then.
tracking() {
    if [ "$1" = none ]; then
        printf '%s\n' ProctrackType=proctrack/linuxproc TaskPlugin=task/none JobAcctGatherType=jobacct_gather/linux \
            JobAcctGatherFrequency=task=1 JobAcctGatherParams=OverMemoryKill
    else
        printf '%s\n' ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup JobAcctGatherType=jobacct_gather/cgroup \
            JobAcctGatherFrequency=task=5
    fi
}

# --- ports -----------------------------------------------------------------------

# The TCP ports on which somebody here listens.
used_ports() {
    local port
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { n = split($2, a, ":"); print a[n] }' |
        while read -r port; do echo $((16#$port)); done
}

# free_ports FIRST COUNT: the first of COUNT free ports, from FIRST on.
free_ports() {
    local used first=$1 port
    used=" $(used_ports | tr '\n' ' ') "
    for ((port = first; port < first + $2; port++)); do
        if [[ $used == *" $port "* ]]; then
            first=$((port + 1))
            [ "$first" -lt 32000 ] || return 1
        fi
    done
    echo "$first"
}

# --- files -----------------------------------------------------------------------

node_names() { seq -f "$name%g" 1 "$nodes"; }

hosts_file() {
    cat /etc/hosts
    printf '127.0.0.1 %s\n' "$control" $(node_names)
}

slurm_conf() {
    local node port=$1 kind=$2
    cat <<END
ClusterName=$name
SlurmctldHost=$control(127.0.0.1)
SlurmctldPort=$port
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$bed/munge/socket
StateSaveLocation=$bed/nodes/$control/state
SlurmctldPidFile=$bed/nodes/$control/slurmctld.pid
SlurmctldLogFile=$bed/nodes/$control/slurmctld.log
SlurmdSpoolDir=$bed/nodes/%n/spool
SlurmdPidFile=$bed/nodes/%n/slurmd.pid
SlurmdLogFile=$bed/nodes/%n/slurmd.log
PlugStackConfig=$bed/etc/plugstack.conf
# A node claims more than this machine has, so that any number of ranks fits; nothing is bound to cores.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=1
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
TmpFS=/tmp
ReturnToService=2
KillWait=2
PropagateResourceLimitsExcept=MEMLOCK
END
    tracking "$kind"
    if [ "$private_tmp" = yes ]; then
        # The plugin works in the step that the flag makes.
        printf '%s\n' JobContainerType=job_container/tmpfs PrologFlags=Contain
    fi
    for node in $(node_names); do
        port=$((port + 1))
        echo "NodeName=$node NodeAddr=127.0.0.1 Port=$port CPUs=$cpus Boards=1 SocketsPerBoard=1" \
            "CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$((cpus * 1024)) State=UNKNOWN"
    done
    echo "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 State=UP"
    printf '%s' "$extra_conf"
}

write_configuration() {
    local kind=$1 port=$2 etc=$bed/etc
    slurm_conf "$port" "$kind" >"$etc/slurm.conf"
    cgroup_conf "$kind" >"$etc/cgroup.conf"
    hosts_file >"$etc/hosts"
    printf '%s' "$plugstack" >"$etc/plugstack.conf"
    if [ "$private_tmp" = yes ]; then
        # Below it a folder for each node, by its name.
        echo "BasePath=$bed/jobs" >"$etc/job_container.conf"
    fi
}
