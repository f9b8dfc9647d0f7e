// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.json.Json;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.policy.Condition.ConditionException;
import java.util.List;
import java.util.Map;

/** A merge function that a policy file declares: an expression over base, left and right. */
record ExpressionMerge(String name, Condition expression, List<Json> examples)
    implements SemanticMerge {
  @Override
  public Json merge(Json base, Json left, Json right) {
    try {
      return expression.value(
          Map.of(
              "base", CelValues.of(base),
              "left", CelValues.of(left),
              "right", CelValues.of(right)));
    } catch (ConditionException e) {
      throw new CannotMergeException(String.valueOf(e.getMessage()));
    }
  }
}
