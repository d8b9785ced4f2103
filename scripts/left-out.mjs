// Parts of libraries that the program never uses and a bundler cannot see to be unused. What stands in for them says so
// when it is used after all.

const LEFT_OUT = [
  {
    // zod's English messages are all we show; its other languages would be half of the bundle.
    part: /zod[\\/]v4[\\/]locales[\\/]index\.js$/,
    instead: 'export { default as en } from "./en.js";',
  },
  {
    // The SDK validates answers to dialogs and structured results with ajv, a third of what a start would have to
    // load. We decide nothing by dialogs and no tool of ours declares an output schema.
    part: /@modelcontextprotocol[\\/]sdk[\\/]dist[\\/]esm[\\/]validation[\\/]ajv-provider\.js$/,
    instead: `export class AjvJsonSchemaValidator {
      getValidator() { throw new Error("agent-vault is built without ajv: pass a jsonSchemaValidator"); }
    }`,
  },
  {
    // Tables of East Asian encodings, which express would accept for a body. Forms of ours are UTF-8.
    part: /iconv-lite[\\/]encodings[\\/]dbcs-data\.js$/,
    instead: "module.exports = {};",
  },
];

/** An esbuild plugin that puts in what stands instead, and fails the build when a part is no longer where it was. */
export const leftOut = {
  name: "left-out",
  setup(build) {
    const missing = new Set(LEFT_OUT);
    for (const entry of LEFT_OUT) {
      build.onLoad({ filter: entry.part }, () => {
        missing.delete(entry);
        return { contents: entry.instead };
      });
    }
    build.onEnd(() => ({
      errors: [...missing].map(({ part }) => ({ text: `nothing to leave out at ${part.source}` })),
    }));
  },
};
