/** One wake-up call. Asked for several, it keeps the earliest. */
export interface Alarm {
  /** Calls in `ms` at the latest; 0 or less means at the end of this turn of the event loop. */
  readonly within: (ms: number, options?: { keepsProcess: boolean }) => void;
  readonly cancel: () => void;
}

export function newAlarm(ring: () => void): Alarm {
  let set: { readonly at: number; readonly cancel: () => void } | undefined;

  const cancel = (): void => {
    set?.cancel();
    set = undefined;
  };
  const fire = (): void => {
    set = undefined;
    ring();
  };
  return {
    within: (ms, { keepsProcess } = { keepsProcess: true }) => {
      const at = ms <= 0 ? 0 : performance.now() + ms;
      if (set && set.at <= at) return;
      cancel();
      if (at === 0) {
        const immediate = setImmediate(fire);
        set = { at, cancel: () => clearImmediate(immediate) };
        return;
      }
      const timer = setTimeout(fire, ms);
      if (!keepsProcess) timer.unref();
      set = { at, cancel: () => clearTimeout(timer) };
    },
    cancel,
  };
}
