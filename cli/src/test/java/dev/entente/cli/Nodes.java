// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The nodes that clients call. */
@FunctionalInterface
interface Nodes {
  /** Any of those that run; null where none does. */
  @Nullable RealNode any(Random chance);
}
