/** Version of this library. Must match package.json. */
export const version = "0.1.0";
