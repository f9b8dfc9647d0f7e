// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.policy.Policy;
import java.util.Optional;

/**
 * What a node can promise by itself. What it cannot is refused, never weakened in silence. Asked at
 * each write, on the deciding thread: it answers at once, and from any thread.
 */
@FunctionalInterface
public interface Promise {
  /** Why this node may not accept a write under a policy; empty where it may. */
  Optional<String> whyNot(Policy policy);

  /** Why a write under a lock does not hold; empty where the lock is held under that token. */
  default Optional<String> whyNot(Locks.Fence fence) {
    return Optional.of("this node knows of no locks");
  }
}
