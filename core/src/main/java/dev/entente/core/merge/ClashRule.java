// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import java.util.Optional;

/** Settles a clash inside a structural merge, or declines. Must depend on the clash alone. */
@FunctionalInterface
public interface ClashRule {
  ClashRule NONE = _ -> Optional.empty();

  Optional<Json> settle(Clash clash);
}
