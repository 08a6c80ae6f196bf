/**
 * Why an address cannot be listened on, in words for the operator.
 * @param setting where the address is chosen
 */
export function explainListen(error: NodeJS.ErrnoException, host: string, port: number, setting: string): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use by another program. Stop that program, or choose another port with ${setting}.`,
    EACCES: `this user may not use port ${port}. Choose a port above 1023 with ${setting}.`,
    EADDRNOTAVAIL: `this machine does not have the address ${host}. Use 0.0.0.0 for all of its addresses.`,
    ENOTFOUND: `the name ${host} has no address.`,
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause: error });
}
