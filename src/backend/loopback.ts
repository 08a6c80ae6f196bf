const loopbackAddress = /^127(\.\d{1,3}){3}$/;

/** Whether what is sent to the host stays on this machine. @param host a name or an address, `[::1]` as URLs have it too */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || name === '[::1]' || loopbackAddress.test(name);
}
