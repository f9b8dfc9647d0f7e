// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.causality.NodeId;
import dev.entente.core.edit.Edit;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The nodes that people mean by the names they gave them. The incarnation is shown with a name, but
 * nobody has to type it: a name alone means the latest.
 */
final class NodeNames {
  private final Node node;
  private final Supplier<List<NodeId>> members;

  /**
   * @param members the nodes that have not left; empty while that is not known
   */
  NodeNames(Node node, Supplier<List<NodeId>> members) {
    this.node = node;
    this.members = members;
  }

  /** An edit whose rights go to nodes that exist: rights given to any other would be lost. */
  Edit resolved(Edit edit) {
    if (!(edit instanceof Edit.Operations(List<Edit.Operation> operations))
        || operations.stream().noneMatch(Edit.Operation.Give.class::isInstance)) {
      return edit;
    }
    List<Edit.Operation> resolved = new ArrayList<>(operations.size());
    for (Edit.Operation operation : operations) {
      resolved.add(
          operation instanceof Edit.Operation.Give give
              ? new Edit.Operation.Give(give.path(), member(give.to()), give.amount())
              : operation);
    }
    return new Edit.Operations(resolved);
  }

  private NodeId member(NodeId typed) {
    List<NodeId> nodes = new ArrayList<>(members.get());
    if (nodes.isEmpty()) {
      nodes.addAll(node.known().entries().keys());
    }
    if (!nodes.contains(node.id())) {
      nodes.add(node.id());
    }
    nodes.removeIf(NodeId::isGroup);
    return latest(typed, nodes)
        .orElseThrow(() ->
            new Problem(
                Code.INVALID,
                "no node is called "
                    + typed
                    + "; known are "
                    + String.join(", ", nodes.stream().map(NodeId::value).sorted().toList())));
  }

  /** The node that is meant; of several incarnations the latest. */
  static Optional<NodeId> latest(NodeId typed, Collection<NodeId> among) {
    return among.stream()
        .filter(each -> each.answersTo(typed))
        .max((a, b) -> Long.compare(a.incarnation(), b.incarnation()));
  }
}
