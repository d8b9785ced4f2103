/** The part of `@ngrok/ngrok` 1.7 that is used here. Its sessions are independent; its `forward` shares one for all. */
export interface NgrokSdk {
  readonly SessionBuilder: new () => NgrokBuilder;
}

export interface NgrokBuilder {
  authtoken(token: string): unknown;
  /** Called before each attempt to reconnect; what it returns says whether to try. */
  handleDisconnection(handler: (address: string, error: string) => boolean): unknown;
  /** Null when a heartbeat stayed out. */
  handleHeartbeat(handler: (latencyMs: number | null) => void): unknown;
  /** Called when somebody stops the session from the dashboard. */
  handleStopCommand(handler: () => void): unknown;
  connect(): Promise<NgrokSession>;
}

export interface NgrokSession {
  httpEndpoint(): NgrokEndpoint;
  close(): Promise<void>;
}

export interface NgrokEndpoint {
  domain(domain: string): unknown;
  listenAndForward(url: string): Promise<NgrokListener>;
}

export interface NgrokListener {
  url(): string | null;
  /** Settles when nothing is forwarded any more. */
  join(): Promise<void>;
  /** Asks ngrok to take the address back; while ngrok does not agree, forwarding goes on. */
  close(): Promise<void>;
}
