// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.engine.Node;
import dev.entente.engine.VersionIndex;
import java.io.IOException;
import java.util.List;

/** The versions that a node holds, by their dots, as far as comparing them needs it. */
public interface VersionSource {
  /** Beyond so many bytes no further version is sent at once. */
  int VERSIONS_BYTES_MAX = 1 << 20;

  /** What the node has of all nodes. */
  VersionVector known() throws IOException, InterruptedException;

  /** See {@link VersionIndex#sums}. */
  List<Long> sums(NodeId author, long after, long upTo) throws IOException, InterruptedException;

  /** See {@link VersionIndex#entries}. */
  VersionIndex.Entries entries(NodeId author, long after, long upTo)
      throws IOException, InterruptedException;

  /** The versions of a node, as bytes, in order; see {@link VersionIndex#versions}. */
  List<byte[]> versions(NodeId author, long after, long upTo)
      throws IOException, InterruptedException;

  /** This node's own. */
  static VersionSource of(Node node) {
    return new VersionSource() {
      @Override
      public VersionVector known() {
        return node.known();
      }

      @Override
      public List<Long> sums(NodeId author, long after, long upTo) {
        return node.versionIndex().sums(author, after, upTo);
      }

      @Override
      public VersionIndex.Entries entries(NodeId author, long after, long upTo) {
        return node.versionIndex().entries(author, after, upTo);
      }

      @Override
      public List<byte[]> versions(NodeId author, long after, long upTo) {
        return node.versionIndex().versions(author, after, upTo, VERSIONS_BYTES_MAX);
      }
    };
  }
}
