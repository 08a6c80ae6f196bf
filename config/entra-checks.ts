import type { Report } from './auth-checks.js';
import type { JwtIssuerConfig } from './file-schema.js';
import type { Path } from './problem.js';

/** The audience of Entra ID's own token for every custom application, in every tenant. */
export const sharedEntraAudience = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621';

const guid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
const entraHosts = new Set([
  'sts.windows.net',
  'login.microsoftonline.com',
  'login.windows.net',
  'login.microsoftonline.us',
  'login.chinacloudapi.cn',
  'login.partner.microsoftonline.cn',
  'sts.chinacloudapi.cn',
]);

/**
 * The tenant that an issuer of Entra ID stands for; undefined when it names none. As the issuer is compared to the letter,
 * such an issuer pins the tenant by itself.
 */
export function tenantOfIssuer(issuer: string): string | undefined {
  return isEntra(issuer) ? guid.exec(issuer)?.[0].toLowerCase() : undefined;
}

function isEntra(issuer: string): boolean {
  return URL.canParse(issuer) && entraHosts.has(new URL(issuer).hostname);
}

/** Settings of Entra ID that would let in other tenants, or nobody. */
export function checkEntra(section: JwtIssuerConfig, path: Path, report: Report): void {
  const { issuer, tenant, tenantClaim } = section;
  const own = tenantOfIssuer(issuer);
  const audiences: readonly string[] = [section.audience ?? []].flat();
  if (
    audiences.some((audience) => audience.toLowerCase() === sharedEntraAudience) &&
    own === undefined &&
    tenant === undefined
  ) {
    const message =
      'Every tenant of Entra ID sends this audience, so it proves nothing: write "tenant: <the tenant\'s GUID>", or the issuer of that tenant, "https://sts.windows.net/<GUID>/".';
    report('error', [...path, 'audience'], message);
  }
  if (!isEntra(issuer)) return;
  if (own === undefined) {
    const message =
      'Tokens of Entra ID name their tenant in the issuer, so this one would never come: write "https://sts.windows.net/<the tenant\'s GUID>/".';
    report('error', [...path, 'issuer'], message);
    return;
  }
  if (new URL(issuer).hostname.startsWith('sts.') && !issuer.endsWith('/')) {
    report(
      'error',
      [...path, 'issuer'],
      `The issuer is compared to the letter, and Entra ID's ends with "/": "${issuer}/".`,
    );
  }
  const isTid = (tenantClaim ?? 'tid') === 'tid';
  if (tenant !== undefined && isTid && guid.test(tenant) && tenant.toLowerCase() !== own) {
    const message = `The issuer is that of the tenant ${own}, so no token of the tenant ${tenant} would come from it.`;
    report('error', [...path, 'tenant'], message);
  }
  if (audiences.some((audience) => audience.toLowerCase() === own)) {
    const message = `This is the tenant's own GUID. Entra ID's token for provisioning has the audience ${sharedEntraAudience}: see what "scimbridge doctor token" says of one.`;
    report('warning', [...path, 'audience'], message);
  }
}
