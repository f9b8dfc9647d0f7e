// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import java.util.Map;

/**
 * What nodes keep about themselves as records of a tenant of its own, so that it travels, is
 * explained and has a history like any record. Its policies are built in: nobody reviews there, and
 * what is taken away stays away.
 */
public final class Registry {
  /** The tenant; nobody else may use it. */
  public static final String TENANT = "_entente";

  /** The type of the records that say who has an account. */
  public static final String ACCOUNT = "account";

  /** The type of the records that say which tokens there are. */
  public static final String TOKEN = "token";

  /** The type of the records that say where changes are sent to. */
  public static final String WEBHOOK = "webhook";

  private static final String LATEST =
      """

      default: last-writer-wins
      deletes: delete-wins
      """;

  private static final Map<String, String> FIELDS =
      Map.of(
          ACCOUNT,
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
          ScopedCheckpoints.TYPE,
          """
          fields:
            content: {cell: register}
          """,
          ReviewSheet.TYPE,
          """
          fields:
            notes: {cell: grow-only-set}
            approvals: {cell: set}
          """);

  private Registry() {}

  /**
   * Whether a record says what somebody decided who may: a version of it needs a proof. That is all
   * but what each node says of itself.
   */
  static boolean needsProof(RecordKey key) {
    return key.tenant().equals(TENANT) && !key.type().equals(Retention.KNOWLEDGE);
  }

  /**
   * Whether who works out a version signs it, also in the name of a group; see {@link Erasures} for
   * what erases.
   */
  static boolean isSigned(Version version) {
    return needsProof(version.key()) || version.erases();
  }

  /** Whether a version says what a node has, and another node numbered it. */
  static boolean isOfAnother(RecordKey key, NodeId author) {
    return key.tenant().equals(TENANT)
        && key.type().equals(Retention.KNOWLEDGE)
        && !(NodeId.isValid(key.id()) && new NodeId(key.id()).name().equals(author.name()));
  }

  /** The policy of a type of the registry. */
  static Policy policy(String type) {
    try {
      return PolicyLoader.load("type: " + type + LATEST + FIELDS.getOrDefault(type, "")).policy();
    } catch (PolicyException e) {
      throw new IllegalStateException(e);
    }
  }
}
