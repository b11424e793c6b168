#!/usr/bin/env bats
# Ranks that need the same image: one brings it, or says why not, for all.

# Each test is a subshell.
# shellcheck disable=SC2030,SC2031,SC2154

load helpers
load squashfs
load layouts

setup() { cache_setup; }

teardown() {
    registry_ends
    standard_teardown
}

@test "32 launches at once of an image that is missing: it is made once, and all run" {
    local i
    for i in {1..32}; do "$CORACLE" run oci:layout:small >"out.$i" 2>&1 3>&- & done
    wait
    assert_equal "$(cat out.* | sort | uniq -c | xargs)" '32 second'
    assert_equal "$(find cache/images -type f | wc -l) $(find cache/names -type l | wc -l)" '1 1'
    assert_equal "$(find cache -name '.*' ! -name .)" ''
}

@test "one that fails: all that wait are told why" {
    local i
    printf X | dd of="$LOWER" bs=1 seek=5000 conv=notrunc status=none
    for i in {1..8}; do "$CORACLE" run oci:layout:small >"out.$i" 2>&1 3>&- || echo "status $?" >>"out.$i" & done
    wait
    for i in {1..8}; do
        [[ $(<"out.$i") == 'coracle: error: '*']'$'\n''status 125' ]] || report "expected one error: $(<"out.$i")"
    done
    assert_equal "$(find cache -type f -o -type l)" ''
}

# counting_registry: one at REGISTRY that has nothing, and notes what it is asked in the file asked. It
# answers when there is a file answer.
counting_registry() {
    cat >counting.py <<'END'
import http.server, os, time
class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def do_GET(self):
        os.write(asked, (self.path + "\n").encode())
        while not os.path.exists("answer"):
            time.sleep(0.05)
        body = b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_HEAD = do_GET
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
asked = os.open("asked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
server = Server(("127.0.0.1", 0), Registry)
with open("port.new", "w") as port:
    port.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
END
    need python3
    python3 counting.py 3>&- &
    REGISTRY_PROCESS=$!
    in_tenths 100 test -e port
    REGISTRY=127.0.0.1:$(<port)
    printf '[registry."%s"]\nplain-http = true\n' "$REGISTRY" >registry.toml
    chmod 600 registry.toml
    export CORACLE_CONFIG=$PWD/registry.toml
}

# Whether COUNT ranks have come to where they meet.
are_fetching() { # COUNT
    local pid
    for pid in $(pgrep -f "run --pull=always $REGISTRY/small"); do readlink "/proc/$pid/exe"; done 2>/dev/null |
        grep -c '/coracle-image$' | grep -qx "$1"
}

@test "--pull=always that fails: the registry is asked once for many ranks, and all say the same" {
    local i
    counting_registry
    crowd 64
    export SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=$CROWD
    for ((i = 1; i <= CROWD; i++)); do
        SLURM_PROCID=$i "$CORACLE" run --pull=always "$REGISTRY/small:1.0" >"out.$i" 2>&1 3>&- || echo "status $?" >>"out.$i" &
    done
    in_tenths 600 are_fetching "$CROWD"
    sleep 1
    touch answer
    for i in $(jobs -p); do [[ $i == "$REGISTRY_PROCESS" ]] || wait "$i"; done
    assert_equal "$(wc -l <asked)" 1
    assert_equal "$(sort -u out.* | wc -l)" 2
    assert_equal "$(grep -c '\[image-missing\]' <(cat out.*)) $(grep -cx 'status 125' <(cat out.*))" "$CROWD $CROWD"
    # One that is alone waits for nobody, and asks by itself.
    unset SLURM_STEP_NUM_TASKS
    capture "$CORACLE" run --pull=always "$REGISTRY/small:1.0"
    assert_status 125
    assert_equal "$(wc -l <asked)" 2
}
