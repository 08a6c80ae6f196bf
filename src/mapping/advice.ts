import type { MappingPlan } from './plan.js';
import type { Origin, RuleProblem } from './rule.js';

/** Things that are no errors, but that an administrator should know before going live. */
export function adviseOn(plan: MappingPlan, origin: Origin): readonly RuleProblem[] {
  const warn = (message: string): RuleProblem => ({ severity: 'warning', origin, at: ['mapping'], message });
  const isMapped = (path: string): boolean => plan.byPath.has(path);
  const { name } = plan.type;
  const problems: RuleProblem[] = [];
  const hasUserName = plan.type.coreAttribute('userName') !== undefined;
  if (hasUserName && !isMapped('userName')) {
    problems.push(
      warn(
        `"userName" of ${name} is not mapped: identity providers look users up by it before they create them. Add "userName: <field>".`,
      ),
    );
  }
  if (!isMapped('externalId')) {
    problems.push(
      warn(
        `"externalId" of ${name} is not mapped: a look-up by it is answered 400, and identity providers that match by it cannot be used. Add "externalId: <field>" if the backend has a place for it.`,
      ),
    );
  }
  if (plan.type.coreAttribute('active') !== undefined && !isMapped('active')) {
    problems.push(
      warn(
        `"active" of ${name} is not mapped: a request that disables an account is refused with 400. Add "active: <field>".`,
      ),
    );
  }
  if (plan.type.coreAttribute('members') !== undefined && !isMapped('members')) {
    problems.push(
      warn(
        `"members" of ${name} is not mapped: changes of members are refused with 400. Add a rule with a "reference".`,
      ),
    );
  }
  return problems;
}
