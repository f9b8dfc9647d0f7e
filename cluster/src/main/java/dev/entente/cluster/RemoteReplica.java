// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Digest;
import dev.entente.engine.Sender;
import dev.entente.engine.VersionIndex;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/** Another node, asked over a transport. */
public final class RemoteReplica implements Replica, VersionSource {
  private final Transport transport;
  private final String url;
  private final NodeId self;

  /**
   * A node at a URL.
   *
   * @param self who asks
   */
  public RemoteReplica(Transport transport, String url, NodeId self) {
    this.transport = transport;
    this.url = url;
    this.self = self;
  }

  private <T> T ask(String question, Function<byte[], T> read)
      throws IOException, InterruptedException {
    byte[] answer = transport.get(url, self, question);
    try {
      return read.apply(answer);
    } catch (DamagedException | IllegalArgumentException e) {
      throw new IOException(url + " answers what cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public Sender sender() {
    return new Sender("", url);
  }

  @Override
  public Digest digest() throws IOException, InterruptedException {
    return ask("digest", Wire::digest);
  }

  @Override
  public List<Digest.Entry> bucket(int bucket) throws IOException, InterruptedException {
    return ask("buckets/" + bucket, Wire::bucket);
  }

  @Override
  public List<byte[]> versions(RecordKey key) throws IOException, InterruptedException {
    return ask("versions/" + path(key), Wire::versions);
  }

  @Override
  public VersionVector known() throws IOException, InterruptedException {
    return ask("known", Wire::vector);
  }

  @Override
  public List<Long> sums(NodeId author, long after, long upTo)
      throws IOException, InterruptedException {
    return ask(stretch("sums", author, after, upTo), Wire::sums);
  }

  @Override
  public VersionIndex.Entries entries(NodeId author, long after, long upTo)
      throws IOException, InterruptedException {
    return ask(stretch("hashes", author, after, upTo), Wire::entries);
  }

  @Override
  public List<byte[]> versions(NodeId author, long after, long upTo)
      throws IOException, InterruptedException {
    return ask(stretch("numbers", author, after, upTo), Wire::versions);
  }

  private static String stretch(String what, NodeId author, long after, long upTo) {
    return what + "/" + escaped(author.value()) + "/" + after + "/" + upTo;
  }

  /** The record's data as JSON; {@code null} where there is none. */
  public String read(RecordKey key) throws IOException, InterruptedException {
    return ask("read/" + path(key), bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  private static String path(RecordKey key) {
    return escaped(key.tenant()) + "/" + escaped(key.type()) + "/" + escaped(key.id());
  }

  private static String escaped(String name) {
    return PercentText.encode(name);
  }
}
