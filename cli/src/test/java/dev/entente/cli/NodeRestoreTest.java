// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.edit.Edit;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.WriteRequest;
import dev.entente.engine.WriteRequest.Seen;
import dev.entente.engine.store.RocksStore;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An archive that somebody damaged or made up is refused, and nothing of it is left. */
class NodeRestoreTest {
  private static final RecordKey RECORD = new RecordKey("main", "note", "n");

  @TempDir private Path folder;
  private Path backup;
  private Path checkpoint;
  private Path place;

  @BeforeEach
  void make() throws IOException {
    backup = folder.resolve("backup");
    checkpoint = folder.resolve("checkpoint");
    place = Files.createDirectory(folder.resolve("place"));
    RocksStore store = RocksStore.open(folder.resolve("original"));
    try (Node node = Node.open(store, NodeConfig.DEFAULT.withName("n"));
        OutputStream out = Files.newOutputStream(backup)) {
      for (int i = 0; i < 5; i++) {
        Edit edit = new Edit.Put(JsonObject.of("v", Json.of(i)));
        node.write(WriteRequest.of(RECORD, edit, new Seen.Everything(), "ann")).join();
      }
      node.copyTo(out);
      node.checkpoint(checkpoint);
    }
  }

  private void refused(Path source) throws IOException {
    Path target = place.resolve("new/deep/data");
    assertThatThrownBy(() -> NodeRestore.into(source, target, Optional.empty()))
        .as("%s", source)
        .isInstanceOf(Exception.class);
    try (Stream<Path> left = Files.list(place)) {
      assertThat(left).as("left of %s", source).isEmpty();
    }
  }

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  @Test
  void aWholeOneIsRestored() throws IOException {
    for (Path source : List.of(backup, checkpoint)) {
      Path target = place.resolve(source.getFileName() + "/data");
      assertThat(NodeRestore.into(source, target, Optional.empty()).versions()).isEqualTo(5);
      try (Node node = Node.open(RocksStore.open(target.resolve("store")), NodeConfig.DEFAULT)) {
        assertThat(node.read(RECORD).view().data().toString()).isEqualTo("{\"v\":4}");
      }
    }
  }

  @Test
  void cutAndFlippedBackupsAreRefused() throws IOException {
    byte[] whole = Files.readAllBytes(backup);
    for (int i = 0; i < 4; i++) {
      refused(file("cut" + i, Arrays.copyOf(whole, whole.length * i / 4)));
    }
    refused(file("cut", Arrays.copyOf(whole, whole.length - 1)));
    Random random = new Random(7);
    for (int i = 0; i < 8; i++) {
      byte[] flipped = whole.clone();
      // Behind the head of gzip, where not every bit means something.
      flipped[10 + random.nextInt(whole.length - 10)] ^= (byte) (1 << random.nextInt(8));
      refused(file("flipped" + i, flipped));
    }
  }

  @Test
  void bombsAndWhatIsNoBackupAreRefused() throws IOException {
    refused(file("empty", new byte[0]));
    refused(file("text", "no backup".getBytes(StandardCharsets.UTF_8)));
    refused(folder.resolve("missing"));
    refused(
        file(
            "large",
            made(out -> {
              out.writeByte(0);
              out.writeInt(1 << 27);
              out.write(new byte[1 << 27]);
            })));
    refused(
        file(
            "endless",
            made(out -> {
              byte[] zeros = new byte[1 << 20];
              for (int i = 0; i < 80; i++) {
                out.writeByte(0);
                out.writeInt(4);
                out.writeInt(i);
                out.writeInt(zeros.length);
                out.write(zeros);
              }
            })));
    refused(
        file(
            "table",
            made(out -> {
              out.writeByte(1);
              out.writeUTF("../../etc/passwd");
            })));
  }

  /** Writes what follows the head of a backup. */
  @FunctionalInterface
  private interface Body {
    void write(DataOutputStream out) throws IOException;
  }

  private static byte[] made(Body body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(bytes))) {
      out.writeUTF("entente copy 1");
      body.write(out);
    }
    return bytes.toByteArray();
  }

  @Test
  void checkpointsWithLinksFoldersAndWithoutFilesAreRefused() throws IOException {
    Path secret = file("secret", "not for others".getBytes(StandardCharsets.UTF_8));
    Path link = Files.createSymbolicLink(checkpoint.resolve("000999.sst"), secret);
    refused(checkpoint);
    Files.delete(link);
    Path inner = Files.createDirectory(checkpoint.resolve("inner"));
    refused(checkpoint);
    Files.delete(inner);
    Path manifest;
    try (Stream<Path> files = Files.list(checkpoint)) {
      manifest =
          files
              .filter(each -> each.getFileName().toString().startsWith("MANIFEST"))
              .findFirst()
              .orElseThrow();
    }
    byte[] whole = Files.readAllBytes(manifest);
    Files.write(manifest, Arrays.copyOf(whole, whole.length / 2));
    refused(checkpoint);
    Files.delete(manifest);
    refused(checkpoint);
    Path nothing = Files.createDirectory(folder.resolve("nothing"));
    refused(nothing);
  }

  @Test
  void whatWasInTheDirectoryStaysThere() throws IOException {
    Path target = Files.createDirectories(place.resolve("mine"));
    Files.writeString(target.resolve("config"), "kept");
    Path bad = file("bad", new byte[10]);
    assertThatThrownBy(() -> NodeRestore.into(bad, target, Optional.empty()))
        .isInstanceOf(IOException.class);
    try (Stream<Path> left = Files.list(target)) {
      assertThat(left).containsExactly(target.resolve("config"));
    }
    Files.createDirectory(target.resolve("store"));
    assertThatThrownBy(() -> NodeRestore.into(backup, target, Optional.empty()))
        .hasMessageContaining("is there already");
  }
}
