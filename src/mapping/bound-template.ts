import type { Attribute, Resource, ResourceType } from '../scim/schema.js';
import { readTemplatePath, type TemplatePath, textAt } from './resource-values.js';
import { compileTemplate } from './template.js';

/** A template whose paths are attributes of a resource type: it shows resources of that type. */
export interface BoundTemplate {
  /** The attributes that it shows, each once. */
  readonly needs: readonly Attribute[];
  /** @returns undefined when none of the attributes has a value */
  render(resource: Resource): string | undefined;
}

/** @returns the template, or what is wrong with the text, in sentences */
export function bindTemplate(
  text: string,
  type: ResourceType,
): { readonly template?: BoundTemplate; readonly problems: readonly string[] } {
  const paths = new Map<string, TemplatePath>();
  const { template, problems } = compileTemplate(text, (path) => {
    const found = readTemplatePath(path, type);
    if (typeof found === 'string') return { ok: false, message: found };
    paths.set(path, found);
    return { ok: true };
  });
  if (template === undefined) return { problems };
  return {
    problems,
    template: {
      needs: [...new Set([...paths.values()].map((path) => path.attribute))],
      render: (resource) =>
        template.render((name) => {
          const path = paths.get(name);
          return path === undefined ? undefined : textAt(resource, path);
        }),
    },
  };
}
