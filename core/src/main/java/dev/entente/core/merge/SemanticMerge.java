// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.merge;

import dev.entente.core.json.Json;
import java.util.List;

/**
 * A merge function of your own, named in policies as {@code semantic:<name>}. Nodes find
 * implementations through {@link java.util.ServiceLoader}; a policy that names one is refused where
 * the function breaks a law of {@link MergeLaws}.
 *
 * <p>It runs again on every node and for every reader, so it must depend on its arguments alone: no
 * clock, no chance, no network, no state; nor on which side is left and which is right.
 * Thread-safe, and quick: other writes wait for it.
 */
public interface SemanticMerge {
  /** Its name: lower-case letters, digits and hyphens, at most 60. */
  String name();

  /**
   * One value from two that compete.
   *
   * @param base what both last had in common; absent where that is nothing or no longer known
   * @param left neither absent nor equal to {@code right}
   * @throws CannotMergeException where this function has no answer; the next step of the policy is
   *     asked
   */
  Json merge(Json base, Json left, Json right);

  /** Values of the kind it is for; the laws are tried on these and on variations of them. */
  default List<Json> examples() {
    return List.of();
  }

  /** What a merge function has no answer to. */
  final class CannotMergeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * An answer for people.
     *
     * @param why half a sentence, such as "the readings have different units"
     */
    public CannotMergeException(String why) {
      super(why, null, false, false);
    }
  }
}
