import type { LdapServer } from './ldap-server.js';

/**
 * What a server's log (`logOperations`) tells of things that must never be: anonymous binds, operations before a bind,
 * and anything in clear text. Reading the root DSE to see whether a port answers is no client's operation.
 */
export function violationsInLog(server: LdapServer): readonly string[] {
  switch (server.kind) {
    case 'openldap':
      return violationsByConnection(server.log(), openLdap);
    case '389-ds':
      return violationsByConnection(server.log(), ds389);
    case 'samba':
      return sambaViolations(server.log());
  }
}

interface LogWords {
  readonly secured: RegExp;
  readonly bind: RegExp;
  readonly anonymousBind: RegExp;
  readonly operation: RegExp;
}

const openLdap: LogWords = {
  secured: /TLS established/,
  bind: /op=\d+ BIND dn="[^"]+" method=/,
  anonymousBind: /op=\d+ BIND dn="" method=/,
  operation: /op=\d+ (?:SRCH base|MOD dn|ADD dn|DEL dn|MODRDN dn|CMP dn|PASSMOD)/,
};

const ds389: LogWords = {
  secured: /TLS1\.\d/,
  bind: /op=\d+ BIND dn="[^"]+" method=/,
  anonymousBind: /op=\d+ BIND dn="" method=/,
  operation: /op=\d+ (?:SRCH base|MOD dn|ADD dn|DEL dn|MODRDN dn|CMP dn)/,
};

function violationsByConnection(log: string, words: LogWords): readonly string[] {
  const secured = new Set<string>();
  const bound = new Set<string>();
  return log.split('\n').filter((line) => {
    const connection = /conn=(\d+)/.exec(line)?.[1];
    if (connection === undefined) return false;
    // Numbers start again with the process.
    if (/ACCEPT from|connection from/.test(line)) {
      secured.delete(connection);
      bound.delete(connection);
    }
    if (words.secured.test(line)) secured.add(connection);
    if (words.anonymousBind.test(line)) return true;
    if (words.bind.test(line)) bound.add(connection);
    else if (!words.operation.test(line)) return false;
    return !secured.has(connection) || !bound.has(connection);
  });
}

/**
 * Samba tells of binds only: with TLS or without, by whom. It takes StartTLS for the work of somebody anonymous, which is
 * harmless where a bind over TLS is the next that comes on the connection.
 */
function sambaViolations(log: string): readonly string[] {
  const lines = log.split('\n').filter((line) => /\[LDAP[,\]]/.test(line));
  return lines.filter((line, index) => {
    if (/^Auth: \[LDAP/.test(line)) return !/simple bind\/(?:TLS|StartTLS)\]/.test(line);
    if (!/no bind|ANONYMOUS LOGON/.test(line)) return false;
    const client = /emote host \[([^\]]+)\]/.exec(line)?.[1] ?? '';
    const next = lines.slice(index + 1).find((other) => other.includes(`[${client}]`));
    return next === undefined || !/simple bind\/(?:TLS|StartTLS)\]/.test(next);
  });
}
