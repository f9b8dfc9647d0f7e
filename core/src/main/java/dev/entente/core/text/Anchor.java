// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import java.util.Map;

/**
 * A stable position: a place in one version of a text, to be found again in later ones.
 *
 * @param heads for each agent whose last events nobody had seen then, the number of that event
 * @param position in code points, in that version
 */
public record Anchor(Map<String, Integer> heads, int position, boolean stickToNext) {
  public Anchor {
    heads = Map.copyOf(heads);
    if (position < 0) {
      throw new IllegalArgumentException("a position is not negative");
    }
  }
}
