#!/bin/sh
# Runs agent-vault as a user of its own, for the agents of one user (Linux with systemd). See other-user.md.
#
#   other-user.sh install USER [--dry-run]      USER is whom the agents run as
#   other-user.sh uninstall [--purge] [--dry-run]
#
# It can be run again: what is there stays, above all the configuration and the state. With --dry-run it prints what it
# would do. DESTDIR puts all files under another root, and then leaves accounts, owners and systemd alone.
# AGENT_VAULT_PACKAGE names what npm installs (default: agent-vault); a packed file works too.
set -eu

# Whatever stands in the PATH of who runs this is not run as root: node and npm are looked for there, and looked at first.
GIVEN=$PATH
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

SERVICE=agent-vault
CLIENTS=agent-vault-clients
DESTDIR=${DESTDIR:-}
PACKAGE=${AGENT_VAULT_PACKAGE:-agent-vault}
PROGRAM=/usr/local/lib/agent-vault
SETTINGS=/etc/agent-vault
STATE=/var/lib/agent-vault
UNIT=/etc/systemd/system/agent-vault.service
WRAPPER=/usr/local/bin/agent-vault
SOCKET=/run/agent-vault/mcp.sock
DRY=

usage() {
  sed -n '4,5s/^#  *//p' "$0" >&2
  exit 2
}

fail() {
  printf 'other-user.sh: %s\n' "$1" >&2
  exit 1
}

# Does it, or prints it.
run() {
  if [ -n "$DRY" ]; then
    printf '+'
    printf ' %s' "$@"
    printf '\n'
  else
    "$@"
  fi
}

# As run, for what belongs to the whole system and not to DESTDIR.
system() {
  if [ -n "$DESTDIR" ] && [ -z "$DRY" ]; then
    return 0
  fi
  run "$@"
}

# folder MODE OWNER PATH
folder() {
  run mkdir -p "$DESTDIR$3"
  run chmod "$1" "$DESTDIR$3"
  system chown "$2" "$3"
}

# file MODE OWNER PATH, with its contents on standard input. Never half written, and never open to others on the way.
file() {
  if [ -n "$DRY" ]; then
    printf '+ write %s (mode %s, %s)\n' "$DESTDIR$3" "$1" "$2"
    cat >/dev/null
    return 0
  fi
  mkdir -p "$(dirname "$DESTDIR$3")"
  (umask 077 && cat >"$DESTDIR$3.new")
  chmod "$1" "$DESTDIR$3.new"
  [ -n "$DESTDIR" ] || chown "$2" "$3.new"
  mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}

# As file, unless there is one.
first() {
  if [ -e "$DESTDIR$3" ]; then
    printf '%s stays as it is\n' "$DESTDIR$3"
    cat >/dev/null
  else
    file "$@"
  fi
}

# kept OWNER TOP PATH: fails where another than OWNER could change what is at PATH, or a folder on the way there from TOP.
kept() {
  at=$3
  while :; do
    [ "$(stat -c %u "$at")" = "$1" ] || fail "$at does not belong to $(id -nu "$1"): $hint"
    [ -L "$at" ] || [ -z "$(find "$at" -maxdepth 0 -perm /022)" ] ||
      fail "$at can be changed by others than $(id -nu "$1"): $hint"
    case $at in / | "$2") break ;; esac
    at=$(dirname "$at")
  done
}

# What runs as root, or is the program, must be out of reach of the agents: in a home folder, as nvm puts it, they could
# exchange it.
find_tools() {
  hint="install node for all users, not in a home folder"
  NODE=$(PATH=$GIVEN && command -v node) || fail "node is not installed: install it for all users (20.19 or newer)"
  NPM=$(PATH=$GIVEN && command -v npm) || fail "npm is not installed: it comes with node"
  NODE=$(readlink -f "$NODE")
  NPM=$(readlink -f "$NPM")
  kept 0 / "$NODE"
  kept 0 / "$NPM"
}

# Where the files go nobody else may have been before, nor be able to put something in their place.
check_places() {
  owner=0
  [ -z "$DESTDIR" ] || owner=$(stat -c %u "$DESTDIR")
  hint="look who made it so, and set it right"
  for place in "$PROGRAM" "$SETTINGS" "$(dirname "$STATE")" "$UNIT" "$WRAPPER"; do
    place=$DESTDIR$place
    until [ -e "$place" ] || [ -L "$place" ]; do place=$(dirname "$place"); done
    kept "$owner" "${DESTDIR:-/}" "$place"
    real=$(readlink -f "$place")
    [ "$real" = "$place" ] || kept "$owner" "${DESTDIR:-/}" "$real"
  done
  [ -d "$DESTDIR$PROGRAM" ] || return 0
  strange=$(find "$DESTDIR$PROGRAM" ! -type l \( ! -uid "$owner" -o -perm /022 \) -print -quit)
  [ -z "$strange" ] || fail "$strange can be changed by others: look at it, and remove $DESTDIR$PROGRAM"
}

# An account that is there already may be a person's.
check_account() {
  entry=$(getent passwd "$SERVICE") || return 0
  case ${entry##*:} in
    */nologin | */false) ;;
    *) fail "there is an account $SERVICE that one can log in to: give it the shell /usr/sbin/nologin, or rename it" ;;
  esac
}

accounts() {
  getent group "$SERVICE" >/dev/null || system groupadd --system "$SERVICE"
  getent group "$CLIENTS" >/dev/null || system groupadd --system "$CLIENTS"
  getent passwd "$SERVICE" >/dev/null ||
    system useradd --system --gid "$SERVICE" --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$SERVICE"
  system usermod --append --groups "$CLIENTS" "$1"
}

warn_powers() {
  for group in $(id -nG "$1"); do
    case $group in
      root | sudo | wheel | admin | docker | podman | lxd | incus | incus-admin | libvirt | disk | shadow | kmem)
        printf 'look: %s is in the group %s, which is as good as root: nothing here stops an agent of %s\n' "$1" "$group" "$1" >&2
        ;;
    esac
  done
}

set_up() {
  user=$1
  case $user in
    '' | -* | *[!A-Za-z0-9._-]*) fail "that is no name of a user" ;;
    "$SERVICE" | root) fail "the agents must run as another user than $user" ;;
  esac
  if [ -z "$DESTDIR" ]; then
    [ -n "$DRY" ] || [ "$(id -u)" = 0 ] || fail "run it as root"
    getent passwd "$user" >/dev/null || fail "there is no user $user"
    check_account
    warn_powers "$user"
  fi
  find_tools
  check_places
  accounts "$user"

  # The program belongs to root: who could change it could do all it can.
  folder 0755 root:root "$PROGRAM"
  # What npm starts finds this very node.
  (umask 022 && PATH=$(dirname "$NODE"):$PATH && run "$NPM" install --prefix "$DESTDIR$PROGRAM" --global=false --omit=dev --no-fund --no-audit --no-save "$PACKAGE")
  system chown -R root:root "$PROGRAM"
  run chmod -R go-w "$DESTDIR$PROGRAM"

  folder 0750 "root:$SERVICE" "$SETTINGS"
  first 0640 "root:$SERVICE" "$SETTINGS/agent-vault.config.json" <<EOF
{
  "vaults": {
    "local": { "type": "env", "file": "$STATE/secrets.env", "ttl": 5, "minAssurance": "passkey/other-user" }
  },
  "ngrokAuthToken": "env:NGROK_AUTHTOKEN"
}
EOF
  first 0640 "root:$SERVICE" "$SETTINGS/.env" <<EOF
# Tokens that the configuration names as "env:NAME". The broker reads them from here, not from its environment.
# NGROK_AUTHTOKEN=
EOF
  folder 0700 "$SERVICE:$SERVICE" "$STATE"

  file 0755 root:root "$WRAPPER" <<EOF
#!/bin/sh
# agent-vault for all users of this computer. Its own user works with the configuration and the state of the broker.
if [ "\$(id -un)" = $SERVICE ]; then
  cd /
  HOME=$STATE XDG_STATE_HOME=$(dirname "$STATE") AGENT_VAULT_CONFIG=$SETTINGS/agent-vault.config.json
  export HOME XDG_STATE_HOME AGENT_VAULT_CONFIG
fi
exec $NODE $PROGRAM/node_modules/agent-vault/dist/agent-vault.js "\$@"
EOF

  file 0644 root:root "$UNIT" <<EOF
[Unit]
Description=agent-vault for the agents of $user
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=$NODE $PROGRAM/node_modules/agent-vault/dist/agent-vault.js serve --socket $SOCKET --group $CLIENTS --for $user
User=$SERVICE
Group=$SERVICE
SupplementaryGroups=$CLIENTS
WorkingDirectory=/
Environment=HOME=$STATE XDG_STATE_HOME=$(dirname "$STATE") AGENT_VAULT_CONFIG=$SETTINGS/agent-vault.config.json
RuntimeDirectory=agent-vault
RuntimeDirectoryMode=0755
StateDirectory=agent-vault
StateDirectoryMode=0700
UMask=0077
Restart=on-failure
RestartSec=2
# A wrong configuration does not become right by trying again.
RestartPreventExitStatus=2
TimeoutStopSec=5

# Not 0, which lets programs that collect dumps have them all the same; see core(5).
LimitCORE=1
MemoryMax=1G
TasksMax=256
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# Not ProtectProc=invisible: the broker looks at who started it to say how far the agents are away.
# Not MemoryDenyWriteExecute: Node compiles while it runs.

[Install]
WantedBy=multi-user.target
EOF

  system systemctl daemon-reload
  system systemctl enable --now agent-vault.service
  # A newer program or another user counts from the next start.
  system systemctl restart agent-vault.service
  cat <<EOF
agent-vault is set up for the agents of $user.

1. Write your vaults into $SETTINGS/agent-vault.config.json and their tokens into $SETTINGS/.env, both as root, then
   systemctl restart agent-vault
2. From a terminal that no agent can type into:
   sudo -u $SERVICE agent-vault pair
   sudo -u $SERVICE agent-vault doctor --for $user
3. $user logs in anew (the group is new), and the client of $user gets:
   { "command": "agent-vault", "args": ["connect", "$SOCKET"] }
EOF
}

take_down() {
  if [ -z "$DESTDIR" ] && [ -z "$DRY" ]; then
    [ "$(id -u)" = 0 ] || fail "run it as root"
  fi
  if [ -e "$DESTDIR$UNIT" ]; then
    system systemctl disable --now agent-vault.service
  fi
  run rm -f "$DESTDIR$UNIT" "$DESTDIR$WRAPPER"
  system systemctl daemon-reload
  run rm -rf "$DESTDIR$PROGRAM"
  if getent group "$CLIENTS" >/dev/null; then
    system groupdel "$CLIENTS"
  fi
  if [ -z "$PURGE" ]; then
    printf '%s and %s stay: with --purge they go too, the audit log and the enrolled approvers included\n' "$SETTINGS" "$STATE"
    return 0
  fi
  run rm -rf "$DESTDIR$SETTINGS" "$DESTDIR$STATE"
  if getent passwd "$SERVICE" >/dev/null; then
    system userdel "$SERVICE"
  fi
  if getent group "$SERVICE" >/dev/null; then
    system groupdel "$SERVICE"
  fi
}

[ $# -gt 0 ] || usage
what=$1
shift
USER_GIVEN=
PURGE=
for word in "$@"; do
  case $word in
    --dry-run) DRY=1 ;;
    --purge) PURGE=1 ;;
    -*) usage ;;
    *)
      [ -z "$USER_GIVEN" ] || usage
      USER_GIVEN=$word
      ;;
  esac
done
case $what:${USER_GIVEN:+user}:${PURGE:+purge} in
  install:user:) set_up "$USER_GIVEN" ;;
  uninstall::*) take_down ;;
  *) usage ;;
esac
