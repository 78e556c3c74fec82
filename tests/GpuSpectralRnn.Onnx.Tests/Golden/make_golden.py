"""The graphs of this folder and the answers in OnnxImportTests, made with PyTorch 1.13.1 of Debian 12 (torch.onnx.export, opset 13):

    python3 make_golden.py

Inputs are sin(1.7 i), tokens i mod 5, in the order of memory, 2 sequences of 4 steps.
"""
import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, rnn, outputs, read, tokens=0):
        super().__init__()
        self.embedding = nn.Embedding(tokens, rnn.input_size) if tokens else nn.Identity()
        self.rnn, self.read = rnn, read
        self.fc = nn.Linear(rnn.hidden_size * (2 if rnn.bidirectional else 1), outputs)

    def forward(self, x):
        out, state = self.rnn(self.embedding(x))
        return self.fc(self.read(out, state))


torch.manual_seed(1)
nets = {
    "gru_two_layers": Net(nn.GRU(2, 3, 2, batch_first=True), 2, lambda out, h: out[:, -1]),
    "lstm_both_ends": Net(nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True), 2, lambda out, s: torch.cat([s[0][-2], s[0][-1]], 1)),
    "rnn_relu_mean": Net(nn.RNN(2, 3, batch_first=True, nonlinearity="relu"), 1, lambda out, h: out.mean(1)),
    "lstm_tokens": Net(nn.LSTM(2, 3, batch_first=True, bias=False), 5, lambda out, s: out, tokens=5),
}
for name, net in nets.items():
    sines = torch.from_numpy(np.sin(1.7 * np.arange(16)).astype("f4")).reshape(2, 4, 2)
    x = torch.arange(8).reshape(2, 4) % 5 if "tokens" in name else sines
    axes = {"x": {0: "batch", 1: "time"}}
    torch.onnx.export(net.eval(), x, f"{name}.onnx", input_names=["x"], output_names=["y"], dynamic_axes=axes, opset_version=13)
    print(name, ", ".join(f"{y:.8g}f" for y in net(x).detach().numpy().ravel()))
