// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import java.util.Map;

/**
 * What nodes keep about themselves as records of a tenant of its own, so that it travels, is
 * explained and has a history like any record. Its policies are built in: nobody reviews there, and
 * what is taken away stays away.
 */
public final class Registry {
  /** The tenant; nobody else may use it. */
  public static final String TENANT = "_entente";

  private static final String LATEST =
      """

      default: last-writer-wins
      deletes: delete-wins
      """;

  private static final Map<String, String> FIELDS =
      Map.of(
          "account",
          """
          fields:
            grants: {cell: remove-wins-set, writes: [overwrite, conditional, merge]}
            status: {strategy: priority, of: values, order: [disabled, active]}
          """,
          Retention.KNOWLEDGE,
          """
          fields:
            has: {cell: register}
          """,
          ReviewSheet.TYPE,
          """
          fields:
            notes: {cell: grow-only-set}
            approvals: {cell: set}
          """);

  private Registry() {}

  /** The policy of a type of the registry. */
  static Policy policy(String type) {
    try {
      return PolicyLoader.load("type: " + type + LATEST + FIELDS.getOrDefault(type, "")).policy();
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    }
  }
}
