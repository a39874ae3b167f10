// SPDX-License-Identifier: Apache-2.0
/* later - a component whose file is loaded when it is first shown. Not React.lazy: that holds back what comes after a
 * fallback for 300 ms, which is all the time that a page has. */
import { createElement, useEffect, useState, type ComponentType, type ReactNode } from "react";

export type Later<P> = ComponentType<P> & { load: () => Promise<void> };

export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>, fallback: ReactNode = null): Later<P> {
  let found: ComponentType<P> | null = null;
  let loading: Promise<void> | null = null;
  const once = () => (loading ??= load().then((file) => void (found = file.default), (error) => { loading = null; throw error; }));
  function Shown(props: P) {
    const [, draw] = useState(false);
    const drawn = found;
    useEffect(() => {
      if (drawn) return; // what has come since then is not drawn yet
      let is_gone = false;
      once().then(() => { if (!is_gone) draw(true); }, (error) => { if (!is_gone) draw(() => { throw error; }); }); // to the boundary above
      return () => { is_gone = true; };
    }, []);
    return drawn ? createElement(drawn, props) : fallback;
  }
  return Object.assign(Shown, { load: once });
}
