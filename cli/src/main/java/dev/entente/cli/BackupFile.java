// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import com.google.crypto.tink.subtle.AesGcmHkdfStreaming;
import dev.entente.engine.store.Folders;
import dev.entente.engine.store.SettingFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A backup in a file: as it came, or sealed under a passphrase in the format of docs/formats (a
 * salt, PBKDF2, and AES-GCM in segments, so that no byte is believed before it was checked).
 */
final class BackupFile {
  private static final byte[] MAGIC = "entente sealed 1".getBytes(StandardCharsets.US_ASCII);
  private static final int SALT_BYTES = 16;
  private static final int KEY_BYTES = 32;
  private static final int ITERATIONS = 600_000;
  private static final int SEGMENT_BYTES = 1 << 20;

  private BackupFile() {}

  /** A new file for a backup, readable by its owner only. */
  static OutputStream create(Path file, Optional<String> passphrase) throws IOException {
    OutputStream out = Files.newOutputStream(Folders.createFile(file), StandardOpenOption.WRITE);
    if (passphrase.isEmpty()) {
      return out;
    }
    byte[] salt = new byte[SALT_BYTES];
    new SecureRandom().nextBytes(salt);
    out.write(MAGIC);
    out.write(salt);
    try {
      return cipher(passphrase.get(), salt).newEncryptingStream(out, MAGIC);
    } catch (GeneralSecurityException e) {
      throw new IOException("the backup cannot be sealed: " + e.getMessage(), e);
    }
  }

  /**
   * Opens a backup.
   *
   * @throws IOException where it is sealed and the passphrase is missing or wrong
   */
  static InputStream open(Path file, Optional<String> passphrase) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    in.mark(MAGIC.length);
    boolean sealed = Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
    if (!sealed) {
      if (passphrase.isPresent()) {
        in.close();
        throw new IOException(file + " is not sealed; leave --passphrase-file out if you trust it");
      }
      in.reset();
      return in;
    }
    if (passphrase.isEmpty()) {
      in.close();
      throw new IOException(file + " is sealed; give its passphrase with --passphrase-file");
    }
    try {
      return cipher(passphrase.get(), in.readNBytes(SALT_BYTES)).newDecryptingStream(in, MAGIC);
    } catch (GeneralSecurityException e) {
      throw new IOException(file + " cannot be opened: " + e.getMessage(), e);
    }
  }

  private static AesGcmHkdfStreaming cipher(String passphrase, byte[] salt)
      throws GeneralSecurityException {
    PBEKeySpec spec =
        new PBEKeySpec(passphrase.toCharArray(), salt, ITERATIONS, KEY_BYTES * Byte.SIZE);
    byte[] key =
        SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    return new AesGcmHkdfStreaming(key, "HmacSha256", KEY_BYTES, SEGMENT_BYTES, 0);
  }

  /** The passphrase in a file. */
  static Optional<String> passphrase(@org.jspecify.annotations.Nullable Path file)
      throws IOException {
    if (file == null) {
      return Optional.empty();
    }
    String text = SettingFile.secret("--passphrase-file", file);
    if (text.length() < 12) {
      throw new IllegalArgumentException(
          "the passphrase in " + file + " is shorter than 12 characters");
    }
    return Optional.of(text);
  }
}
