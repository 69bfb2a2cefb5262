"""The AWS command line, imported once: each command is forked off with the arguments, folder, environment and files of its caller.

Usage: aws_host.py SOCKET   `aws`, the shim beside it, is what a shell finds. It spares the start of an interpreter and awscli's imports,
half a second of processor time a command.
"""

import array
import json
import os
import signal
import socket
import sys

import awscli.clidriver


def serve(connection, driver):
    """One command: its words and files come over the socket, its exit status goes back."""
    data, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(3 * 4))
    files = array.array("i")
    for _, _, sent in ancillary:
        files.frombytes(sent[:len(sent) - len(sent) % files.itemsize])
    while not data.endswith(b"\n"):
        data += connection.recv(1 << 20)
    asked = json.loads(data)
    for target, file in enumerate(files):
        os.dup2(file, target)
    os.chdir(asked["folder"])
    # awscli says at its import where its data lie.
    data_path = os.environ["AWS_DATA_PATH"]
    os.environ.clear()
    os.environ.update(asked["environment"], AWS_DATA_PATH=data_path)
    try:
        status = driver.main(asked["words"])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(f"{status or 0}\n".encode())


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(16)
    driver = awscli.clidriver.create_clidriver()
    # Read once, for all who are forked off.
    driver.session.get_data("cli")
    for service in ("secretsmanager", "lambda", "iam"):
        driver.session.get_service_model(service)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(connection, driver)
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    main()
