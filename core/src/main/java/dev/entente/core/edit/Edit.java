// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.edit;

import dev.entente.core.causality.NodeId;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import java.util.List;

/** What an author asks for. */
public sealed interface Edit {
  /** The whole document. */
  record Put(JsonObject document) implements Edit {}

  /** A merge patch (RFC 7396). */
  record MergePatch(Json patch) implements Edit {}

  /** A JSON patch (RFC 6902). */
  record JsonPatch(List<Json> operations) implements Edit {
    public JsonPatch {
      operations = List.copyOf(operations);
    }
  }

  /** Operations on cells, in their order. */
  record Operations(List<Operation> operations) implements Edit {
    public Operations {
      operations = List.copyOf(operations);
    }
  }

  /** Removes the record. */
  record Delete() implements Edit {}

  /**
   * Removes the record and all that it held, without saying what that was. What counters add up to
   * stays.
   */
  record Erase() implements Edit {}

  /** One operation on one cell. */
  sealed interface Operation {
    Path path();

    record Increment(Path path, long by) implements Operation {}

    /** Gives rights of a bounded counter to another node. */
    record Give(Path path, NodeId to, long amount) implements Operation {}

    record EditSet(Path path, List<Json> add, List<Json> remove) implements Operation {
      public EditSet {
        add = List.copyOf(add);
        remove = List.copyOf(remove);
      }
    }

    /** Changes a text or a list inside; see {@link dev.entente.core.crdt.Splice}. */
    record Splice(Path path, dev.entente.core.crdt.Splice splice) implements Operation {}

    /** Gives the path a value; absent removes it. */
    record Set(Path path, Json value) implements Operation {}
  }
}
