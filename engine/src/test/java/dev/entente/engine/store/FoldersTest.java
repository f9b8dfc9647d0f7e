// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {
  @TempDir Path directory;

  @Test
  void whatIsMadeIsForItsOwnerAlone() throws Exception {
    assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));

    Path folder = Folders.create(directory.resolve("a/b"));
    Path file = Folders.createFile(folder.resolve("c"));

    assertThat(mode(directory.resolve("a"))).isEqualTo("rwx------");
    assertThat(mode(folder)).isEqualTo("rwx------");
    assertThat(mode(file)).isEqualTo("rw-------");
  }

  @Test
  void aFolderThatIsThereIsLeftAsItIs() throws Exception {
    Path folder = Folders.create(directory.resolve("a"));
    Files.writeString(folder.resolve("b"), "c");

    assertThat(Folders.create(folder)).isEqualTo(folder);
    assertThat(Files.readString(folder.resolve("b"))).isEqualTo("c");
  }

  @Test
  void whatIsFinishedTakesItsNameAsAWhole() throws Exception {
    Path finished = Folders.create(directory.resolve("begun"));
    Files.writeString(Folders.create(finished.resolve("below")).resolve("file"), "all of it");

    Folders.publish(finished, directory.resolve("done"));

    assertThat(finished).doesNotExist();
    assertThat(Files.readString(directory.resolve("done/below/file"))).isEqualTo("all of it");
  }

  @Test
  void aFolderThatHoldsSomethingIsNotReplaced() throws Exception {
    Path finished = Folders.create(directory.resolve("begun"));
    Path there = Folders.create(directory.resolve("there"));
    Files.writeString(there.resolve("file"), "kept");

    assertThatThrownBy(() -> Folders.publish(finished, there)).isInstanceOf(IOException.class);

    assertThat(Files.readString(there.resolve("file"))).isEqualTo("kept");
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
