// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Counter;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CellId;
import dev.entente.core.record.CellId.CellClass;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Who has which rights to take from the bounded counters of a record. */
public final class Counters {
  /** Nodes that are named to somebody who lacks rights. */
  private static final int NAMED_MAX = 5;

  private Counters() {}

  static Counter of(RecordState state, Path path) {
    return state.cells().get(new CellId(Unit.field(path), CellClass.COUNTER))
            instanceof Counter counter
        ? counter
        : Counter.EMPTY;
  }

  /** For each bounded counter that a policy declares, the rights of each node. */
  public static JsonObject rights(RecordState state, Policy policy) {
    Map<String, Json> rights = new TreeMap<>();
    policy
        .fields()
        .forEach((path, rule) -> {
          if (rule.cell() == CellKind.BOUNDED_COUNTER) {
            rights.put(path.toString(), rights(of(state, path)));
          }
        });
    return JsonObject.of(rights);
  }

  private static Json rights(Counter counter) {
    Map<String, Json> rights = new TreeMap<>();
    counter
        .holders()
        .forEach(node -> rights.put(node.value(), Json.of(new BigDecimal(counter.rights(node)))));
    return JsonObject.of(rights);
  }

  /** What to tell somebody who wants more than the node may give. */
  static String missing(Counter counter, NodeId self, long wanted, Unit unit) {
    List<String> elsewhere = new ArrayList<>();
    for (NodeId node : counter.holders()) {
      if (!node.equals(self) && counter.rights(node).signum() > 0) {
        elsewhere.add(counter.rights(node) + " at " + node.value());
      }
    }
    String here =
        "this node may take "
            + counter.rights(self).max(java.math.BigInteger.ZERO)
            + " from "
            + unit.label()
            + ", not "
            + wanted;
    if (elsewhere.isEmpty()) {
      return here + "; there are no rights to more anywhere";
    }
    List<String> named = elsewhere.subList(0, Math.min(NAMED_MAX, elsewhere.size()));
    return here
        + "; there are rights to "
        + String.join(", ", named)
        + (elsewhere.size() > NAMED_MAX ? " and others" : "")
        + ": write there, or have them given to this node ("
        + self.value()
        + ")";
  }
}
