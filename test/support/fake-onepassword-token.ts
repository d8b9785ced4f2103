/** A service account's token for an account of nobody, whose sign-in address the real SDK will ask. */
export function serviceAccountToken(signInAddress: string): string {
  const token = {
    signInAddress,
    userAuth: { method: "SRPg-4096", alg: "PBES2g-HS256", iterations: 650_000, salt: "c2FsdHNhbHRzYWx0c2FsdA" },
    email: "nobody@example.com",
    srpX: "a".repeat(64),
    muk: {
      alg: "A256GCM",
      ext: true,
      k: "M8VPfYJ9SyUKo2oSXSTtVzFR2FWhjpqgJ1DeWsY3uUU",
      key_ops: ["encrypt", "decrypt"],
      kty: "oct",
      kid: "mp",
    },
    secretKey: "A3-ABCDEF-GHJKLM-NPQRS-TVWXY-Z2345-67ABC",
    throttleSecret: { seed: "b".repeat(64), uuid: "ABCDEFGHIJKLMNOPQRSTUVWXY2" },
    deviceUuid: "abcdefghijklmnopqrstuvwxyz",
  };
  return `ops_${Buffer.from(JSON.stringify(token)).toString("base64url")}`;
}
