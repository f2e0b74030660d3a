const problems: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder, a file is needed",
  ENOTDIR: "a part of the path is a file, a folder is needed",
  EEXIST: "it exists and is not a folder",
  ELOOP: "its links lead round in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  EMFILE: "too many files are open",
};

/** What the system says about a file, in words: the end of a sentence that names the file; nothing for other errors. */
export function fileProblem(error: unknown): string | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && Object.hasOwn(problems, code) ? problems[code] : undefined;
}

/** Why something could not be read, whatever was thrown. */
export function whyUnread(error: unknown): string {
  return fileProblem(error) ?? (error instanceof Error ? error.message : String(error));
}
