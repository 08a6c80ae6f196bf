#!/bin/sh
# Starts the directory. The first time it makes a certificate and a password for the gateway's account, and fills the
# directory. The gateway finds the password and the certificate's authority in the shared folder.
set -eu
data=${DIRECTORY_DATA:-/var/lib/directory}
shared=${DIRECTORY_SHARED:-/run/directory}
port=${DIRECTORY_PORT:-1636}
here=$(cd "$(dirname "$0")" && pwd)
umask 077

sed "s|@DATA@|$data|g" "$here/slapd.conf" > "$data/slapd.conf"
if [ ! -e "$data/filled" ]; then
  rm -rf "$data/db"
  mkdir -p "$data/db"
  key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  printf 'subjectAltName=DNS:openldap,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > "$data/ext"
  openssl req -x509 $key -days 3650 -subj '/CN=Directory authority' -addext basicConstraints=critical,CA:TRUE \
    -keyout "$data/ca.key" -out "$shared/ca.crt" 2> /dev/null
  openssl req $key -subj /CN=openldap -keyout "$data/server.key" -out "$data/server.csr" 2> /dev/null
  openssl x509 -req -in "$data/server.csr" -CA "$shared/ca.crt" -CAkey "$data/ca.key" -CAcreateserial -CAserial "$data/ca.srl" -days 3650 \
    -extfile "$data/ext" -out "$data/server.crt" 2> /dev/null
  cp "$shared/ca.crt" "$data/ca.crt"
  openssl rand -hex 24 | tr -d '\n' > "$shared/password"
  hash=$(/usr/sbin/slappasswd -T "$shared/password")
  sed "s|@PASSWORD@|$hash|" "$here/seed.ldif" > "$data/seed.ldif"
  /usr/sbin/slapadd -q -f "$data/slapd.conf" -b dc=example,dc=org -l "$data/seed.ldif"
  rm "$data/ca.key" "$data/seed.ldif"
  touch "$data/filled"
fi
exec /usr/sbin/slapd -f "$data/slapd.conf" -h "ldaps://0.0.0.0:$port" -d 0
